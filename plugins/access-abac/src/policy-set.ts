import { isIP } from 'node:net';
import type { AccessRequest } from '@tappaas/sdk';
import type * as Wasm from '@cedar-policy/cedar-wasm/nodejs';
import { isTrap, OwnCedar, type Cedar } from './cedar.js';
import { headOf, type Head } from './policy-head.js';
import { policiesIn } from './policy-text.js';
import { groupsOf } from './schema.js';

/** The policies that forbid a request, and those that could not be evaluated, which forbid it too. */
export interface Forbidden {
  readonly by: readonly string[];
  /** Why some policies could not be evaluated. */
  readonly errors: readonly string[];
  /** Names of the policies that could not be evaluated; empty if none of the set could. */
  readonly failed: readonly string[];
}

/** Cedar's identifier of the parsed set. Always the same, since each set has its own Cedar instance. */
const setId = 'policies';

/** Policies that are parsed and evaluated together. */
export class PolicySet {
  readonly #cedar = new OwnCedar();
  readonly #texts = new Map<string, string>();
  #heads: readonly Head[] = [];
  #isStale = false;
  #problem: string | undefined;

  get size(): number {
    return this.#texts.size;
  }

  get names(): readonly string[] {
    return [...this.#texts.keys()];
  }

  put(name: string, text: string): void {
    this.#texts.set(name, text);
    this.#isStale = true;
  }

  delete(name: string): void {
    if (this.#texts.delete(name)) this.#isStale = true;
  }

  /** Returns undefined when no policy applies. */
  forbids(request: AccessRequest, nowMs: number): Forbidden | undefined {
    if (this.#texts.size === 0) return undefined;
    this.#parse();
    if (this.#problem !== undefined) return noneEvaluated(this.#problem);
    // Most policies are about writes: requests that match no policy's head skip the evaluation.
    if (!this.#heads.some((mayApply) => mayApply(request))) return undefined;
    let answer: Wasm.AuthorizationAnswer;
    try {
      answer = this.#cedar.use((cedar) => cedar.statefulIsAuthorized({ preparsedPolicySetId: setId, ...callOf(request, nowMs) }));
    } catch (error) {
      // The next request gets a new instance, which has not parsed the set yet.
      if (isTrap(error)) this.#isStale = true;
      // Callers choose the request, so only this one is refused; other requests must not suffer.
      return noneEvaluated(messageOf(error));
    }
    if (answer.type === 'failure') return noneEvaluated(...answer.errors.map(({ message }) => message));
    const { reason, errors } = answer.response.diagnostics;
    if (reason.length === 0 && errors.length === 0) return undefined;
    return {
      by: unique(reason.map(objectOf)),
      errors: errors.map(({ policyId, error }) => `${objectOf(policyId)}: ${error.message}`),
      failed: unique(errors.map(({ policyId }) => objectOf(policyId))),
    };
  }

  /** Parses the set lazily, on the first request after a change. */
  #parse(): void {
    if (!this.#isStale) return;
    try {
      this.#problem = this.#cedar.use((cedar) => this.#take(cedar));
    } catch (error) {
      this.#problem = messageOf(error);
    }
    this.#isStale = false;
  }

  /** Parses all policies. Returns the problem with the set, if any. */
  #take(cedar: Cedar): string | undefined {
    const all = [...this.#texts].map(([name, text]) => policiesIn(cedar, name, text));
    const staticPolicies = Object.assign({}, ...all) as Record<string, string>;
    const parsed = cedar.preparsePolicySet(setId, { staticPolicies });
    this.#heads = Object.values(staticPolicies).map((policy) => {
      const read = cedar.policyToJson(policy);
      return read.type === 'success' ? headOf(read.json) : () => true;
    });
    return parsed.type === 'success' ? undefined : parsed.errors.map(({ message }) => message).join('; ');
  }
}

const noneEvaluated = (...errors: readonly string[]): Forbidden => ({ by: [], errors, failed: [] });
const objectOf = (policyId: string): string => policyId.slice(0, policyId.lastIndexOf('/'));
const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
const unique = (words: readonly string[]): readonly string[] => [...new Set(words)];

type Call = Omit<Parameters<Cedar['statefulIsAuthorized']>[0], 'preparsedPolicySetId'>;

/** Converts an access request to Cedar's terms. */
function callOf(request: AccessRequest, nowMs: number): Call {
  const { caller, verb } = request;
  const principal = { type: 'User', id: caller.name };
  const action = { type: 'Action', id: verb };
  const entity = entityOf(request);
  const user = { name: caller.name, groups: [...caller.groups], ...(caller.tenant !== undefined && { tenant: caller.tenant }) };
  const entities = [
    { uid: principal, attrs: user, parents: [] },
    { uid: action, attrs: {}, parents: groupsOf(verb).map((id) => ({ type: 'Action', id })) },
    entity,
  ];
  return { principal, action, resource: entity.uid, entities, context: { ...contextAt(nowMs), ...originOf(caller) } };
}

function contextAt(nowMs: number): Call['context'] {
  const now = new Date(nowMs);
  const time = { __extn: { fn: 'datetime', arg: `${now.toISOString().slice(0, 19)}Z` } };
  return { time, hour: now.getUTCHours(), minute: now.getUTCMinutes(), weekday: now.getUTCDay() };
}

/** Where the request came from; empty for questions that are not about an API request. */
function originOf({ address, impersonator }: AccessRequest['caller']): Call['context'] {
  return {
    ...(address !== undefined && isIP(address) !== 0 && !address.includes('%') && { address: { __extn: { fn: 'ip', arg: address } } }),
    ...(impersonator !== undefined && { impersonator }),
  };
}

function entityOf({ engine, resource, path = '', project, tenant, labels }: AccessRequest): Wasm.EntityJson {
  if (resource === undefined) return { uid: { type: 'Path', id: path }, attrs: { path }, parents: [] };
  const { group, plural, subresource, namespace, name } = resource;
  const given = Object.entries({ subresource, namespace, project, tenant, name }).filter(
    ([, value]) => value !== undefined && value !== '',
  );
  return {
    uid: { type: 'Object', id: [engine, group, plural, namespace ?? '', name ?? ''].join('/') },
    attrs: { engine, group, resource: plural, ...Object.fromEntries(given) },
    parents: [],
    ...(labels !== undefined && { tags: { ...labels } }),
  };
}
