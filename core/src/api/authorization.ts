import type { AccessRequest, Awaitable, Caller } from '@tappaas/sdk';
import { after, afterWith } from './after.js';
import { apiErrors } from './errors.js';
import type { Target } from '../ports/engine.js';
import type { Exchange } from './request/exchange.js';
import type { RequestInfo } from './request/request-info.js';
import type { Verdict } from '../ports/access.js';
import type { Authorize } from './stages.js';

/**
 * Authorizes a request; only `allow` passes. Runs before any check whether the object exists, so callers without access cannot find out.
 *
 * @throws TAP_REQUEST_FORBIDDEN
 */
export function authorizeRequest(authorize: Authorize, exchange: Exchange): Awaitable<void> {
  const { caller } = exchange;
  const info = namedBySelector(exchange);
  return afterWith(authorize(question(info, caller)), decide, exchange, info);
}

function decide(decided: Verdict, exchange: Exchange, info: RequestInfo): void {
  exchange.decision = decided;
  exchange.narrowed = allowed(decided, info, exchange.caller).narrowed;
}

/** Returns the present decision about a request. */
export function authorizeExchange(authorize: Authorize, exchange: Exchange): Awaitable<Verdict> {
  return authorize(question(namedBySelector(exchange), exchange.caller));
}

function namedBySelector(exchange: Exchange): RequestInfo {
  const { info, path } = exchange;
  return path.query.includes('fieldSelector') ? namedBy(info, exchange.query.get('fieldSelector') ?? '') : info;
}

/** Treats a collection that a field selector limits to one object as that object, so that roles can name it, as in Kubernetes. */
export function namedBy(info: RequestInfo, fieldSelector: string): RequestInfo {
  const { target } = info;
  if (target === undefined || target.name !== undefined || info.verb === 'create') return info;
  const name = /(?:^|,)metadata\.name==?([^,!=]+)(?:,|$)/.exec(fieldSelector)?.[1];
  return name === undefined ? info : { ...info, target: { ...target, name } };
}

/**
 * Authorizes an access besides the request's own target. Returns a promise only if an authorizer does; a narrowed decision must be applied
 * to the answer.
 *
 * @throws TAP_REQUEST_FORBIDDEN
 */
export function permit(authorize: Authorize, info: RequestInfo, caller: Caller): Awaitable<Verdict> {
  return after(ask(authorize, info, caller), (decided) => allowed(decided, info, caller));
}

/** Returns the decision about an access, for callers that also audit it. */
export function ask(authorize: Authorize, { engine, verb, target, path }: RequestInfo, caller: Caller): Awaitable<Verdict> {
  if (target === undefined) return authorize({ caller, engine, verb, path });
  // Used for one request only: caching the resource would cost more than creating it.
  return authorize({ caller, engine, verb, resource: madeResource(target), canNarrow: canNarrow(verb) });
}

/** Wraps an authorizer to ask as a review: the decision alone does nothing. */
export function asReview(authorize: Authorize): Authorize {
  return (question) => authorize({ ...question, isReview: true });
}

function question(info: RequestInfo, caller: Caller): Parameters<Authorize>[0] {
  const { engine, verb, target, path } = info;
  if (target === undefined) return { caller, engine, verb, path };
  const known = resources.get(target);
  return { caller, engine, verb, resource: known ?? cachedResource(target), canNarrow: canNarrow(verb), recurs: known !== undefined };
}

function canNarrow(verb: string): boolean {
  return verb === 'list' || verb === 'watch';
}

/** Returns the verdict if it allows the access. @throws TAP_REQUEST_FORBIDDEN */
export function allowed(verdict: Verdict, info: RequestInfo, caller: Caller): Verdict {
  if (verdict.decision !== 'allow') throw forbidden(caller, info, verdict.reason);
  return verdict;
}

/** Makes an authorizer's question from a request. */
export function accessRequest({ engine, verb, target, path }: RequestInfo, caller: Caller): AccessRequest {
  return target === undefined ? { caller, engine, verb, path } : { caller, engine, verb, resource: madeResource(target) };
}

type Resource = NonNullable<AccessRequest['resource']>;

/** Cached by target, which requests with the same line share. */
const resources = new WeakMap<Target, Resource>();

function cachedResource(target: Target): Resource {
  const made = madeResource(target);
  resources.set(target, made);
  return made;
}

function madeResource({ kind, subresource, namespace, name }: Target): Resource {
  return {
    ...kind,
    ...(subresource !== undefined && { subresource }),
    ...(namespace !== undefined && { namespace }),
    ...(name !== undefined && { name }),
  };
}

export function forbidden(caller: Caller, { verb, target, path, engine }: RequestInfo, reason: string): Error {
  const because = reason === '' ? '' : `: ${reason}`;
  if (target === undefined) {
    return apiErrors.TAP_REQUEST_FORBIDDEN({
      message: `user "${caller.name}" cannot ${verb} path "${path}" of engine ${engine}${because}`,
    });
  }
  const { kind, subresource, name, namespace } = target;
  const what = subresource === undefined ? kind.plural : `${kind.plural}/${subresource}`;
  const named = name === undefined ? what : `${what} "${name}"`;
  const where = namespace === undefined ? 'at the cluster scope' : `in the namespace "${namespace}"`;
  return apiErrors.TAP_REQUEST_FORBIDDEN({
    message: `${named} is forbidden: user "${caller.name}" cannot ${verb} resource "${what}" in API group "${kind.group}" ${where}${because}`,
  });
}
