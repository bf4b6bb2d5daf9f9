import type { Awaitable, Caller } from '@tappaas/sdk';
import type { TableFor } from '../contributions.js';
import type { EnginePort, ServedKind, Target } from '../../ports/engine.js';
import { apiErrors } from '../errors.js';
import type { Exchange } from '../request/exchange.js';
import { getObject, listObjects, type ObjectCall } from './object-reads.js';
import { writeObject } from './object-writes.js';
import type { PreparedAnswers } from '../answer/prepared-answers.js';
import type { Authorize } from '../stages.js';
import { warnOfDeprecation } from '../answer/warnings.js';
import type { WatchFrames } from '../watch/watch-frames.js';
import { watchObjects, type WatchLimits } from '../watch/watch-stream.js';

/** What answering requests about objects needs. */
export interface Objects {
  readonly engines: () => ReadonlyMap<string, EnginePort>;
  readonly tableFor: TableFor;
  readonly prepared: PreparedAnswers;
  /** Called for each request for a deprecated version. */
  readonly deprecatedUse: (kind: ServedKind, caller: Caller) => void;
  readonly authorize: Authorize;
  readonly frames: WatchFrames;
  readonly watchLimits: WatchLimits;
}

/** Whether a read is answered without Express: whole objects and lists, no streams. */
export function isHotRead({ info, request }: Exchange): boolean {
  return info.target !== undefined && (info.verb === 'get' || info.verb === 'list') && request.method === 'GET';
}

/** Finds kind and engine of a request about objects. @throws TAP_REQUEST_PATH_UNKNOWN, TAP_REQUEST_METHOD_NOT_ALLOWED */
export function findCall(objects: Objects, exchange: Exchange, target: Target): ObjectCall {
  const engine = engineOf(objects, exchange);
  const kind = engine.find(target.kind);
  if (kind === undefined || !fitsScope(kind, target)) throw unknownPath(exchange);
  if (kind.deprecated !== undefined) {
    objects.deprecatedUse(kind, exchange.caller);
    warnOfDeprecation(exchange, kind);
  }
  refuseUnservedVerb(exchange, kind, target);
  return { exchange, engine, kind, target, tableFor: objects.tableFor, prepared: objects.prepared, authorize: objects.authorize };
}

interface FoundRead {
  readonly engine: EnginePort;
  /** The kinds at the time of the lookup: if the engine has another array, the lookup is repeated. */
  readonly kinds: readonly ServedKind[];
  readonly kind: ServedKind;
}

const foundReads = new WeakMap<Target, FoundRead>();

/** Same for a `GET`, cached as long as request lines share their target. */
export function findRead(objects: Objects, exchange: Exchange, target: Target): ObjectCall {
  const engine = engineOf(objects, exchange);
  const kinds = engine.kinds();
  const known = foundReads.get(target);
  if (known?.engine === engine && known.kinds === kinds && known.kind.deprecated === undefined) {
    return {
      exchange,
      engine,
      kind: known.kind,
      target,
      tableFor: objects.tableFor,
      prepared: objects.prepared,
      authorize: objects.authorize,
    };
  }
  const call = findCall(objects, exchange, target);
  foundReads.set(target, { engine, kinds, kind: call.kind });
  return call;
}

export function engineOf({ engines }: Pick<Objects, 'engines'>, exchange: Exchange): EnginePort {
  const engine = engines().get(exchange.info.engine);
  if (engine === undefined) throw unknownPath(exchange);
  return engine;
}

export async function answerObjects(objects: Objects, call: ObjectCall): Promise<void> {
  const { verb } = call.exchange.info;
  if (verb === 'watch') await watchObjects(call, objects.frames, objects.watchLimits);
  else if (verb === 'get' || verb === 'list') await answerRead(call);
  else await writeObject(call);
}

export function answerRead(call: ObjectCall): Awaitable<void> {
  return call.target.name === undefined ? listObjects(call) : getObject(call);
}

/** Whether the target fits the scope: of a namespaced kind, only collections may be without a namespace; cluster-scoped kinds have none. */
function fitsScope({ scope }: ServedKind, { namespace, name }: Target): boolean {
  return scope === 'Namespaced' ? namespace !== undefined || name === undefined : namespace === undefined;
}

function refuseUnservedVerb(exchange: Exchange, kind: ServedKind, target: Target): void {
  const part = target.subresource === undefined ? kind : kind.subresources.find(({ name }) => name === target.subresource);
  if (part === undefined) throw unknownPath(exchange);
  const { method = '' } = exchange.request;
  const methods = methodsOf(part.verbs, kind, target);
  if (methods.includes(method === 'HEAD' ? 'GET' : method)) return;
  const what = target.subresource === undefined ? kind.plural : `${kind.plural}/${target.subresource}`;
  exchange.extraHeaders.push('Allow', methods.join(', '));
  // The engine's error says which plugin the kind belongs to, and how to get it back.
  if (kind.orphaned && target.subresource === undefined) return;
  throw apiErrors.TAP_REQUEST_METHOD_NOT_ALLOWED({ message: `${method} (${exchange.info.verb}) is not served for ${what} at this path` });
}

const onObject: Readonly<Record<string, string>> = { get: 'GET', update: 'PUT', patch: 'PATCH', delete: 'DELETE' };
const methodOf = {
  object: onObject,
  subresource: { ...onObject, create: 'POST' } as Readonly<Record<string, string>>,
  collection: { list: 'GET', watch: 'GET', create: 'POST', deletecollection: 'DELETE' } as Readonly<Record<string, string>>,
  across: { list: 'GET', watch: 'GET' } as Readonly<Record<string, string>>,
};

const remembered = new WeakMap<readonly string[], Map<string, readonly string[]>>();

/** Returns the methods for verbs at a path. Across all namespaces there are only reads, unless the kind is a review that is not stored. */
function methodsOf(verbs: readonly string[], kind: ServedKind, { name, namespace, subresource }: Target): readonly string[] {
  const isAcross = kind.scope === 'Namespaced' && namespace === undefined && kind.verbs.includes('get');
  const place = isAcross ? 'across' : name === undefined ? 'collection' : subresource === undefined ? 'object' : 'subresource';
  const known = remembered.get(verbs) ?? new Map<string, readonly string[]>();
  remembered.set(verbs, known);
  const methods = known.get(place) ?? [...new Set(verbs.flatMap((verb) => methodOf[place][verb] ?? []))].sort();
  known.set(place, methods);
  return methods;
}

export function unknownPath({ path }: Exchange): Error {
  return apiErrors.TAP_REQUEST_PATH_UNKNOWN({ message: `the server could not find the requested resource (path "${path.path}")` });
}
