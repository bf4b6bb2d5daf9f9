import { isIP } from 'node:net';
import type { AccessRequest } from '@tappaas/sdk';
import type * as Wasm from '@cedar-policy/cedar-wasm/nodejs';
import { isTrap, OwnCedar, type Cedar } from './cedar.js';
import { headOf, type Head } from './policy-head.js';
import { policiesIn } from './policy-text.js';
import { groupsOf } from './schema.js';

/** Which policies forbid a request, and which could not be evaluated: those forbid it too. */
export interface Forbidden {
  readonly by: readonly string[];
  /** Why some could not be evaluated. */
  readonly errors: readonly string[];
  /** Which they were; nothing when none could. */
  readonly failed: readonly string[];
}

/** By which Cedar knows the parsed set; each set has a Cedar of its own. */
const setId = 'policies';

/** Policies that are parsed once and asked together. */
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

  /** Nothing when no policy has anything to say. */
  forbids(request: AccessRequest, nowMs: number): Forbidden | undefined {
    if (this.#texts.size === 0) return undefined;
    this.#parse();
    if (this.#problem !== undefined) return noneEvaluated(this.#problem);
    // Most policies are about writes: what none can have a say about costs nothing.
    if (!this.#heads.some((mayApply) => mayApply(request))) return undefined;
    let answer: Wasm.AuthorizationAnswer;
    try {
      answer = this.#cedar.use((cedar) => cedar.statefulIsAuthorized({ preparsedPolicySetId: setId, ...callOf(request, nowMs) }));
    } catch (error) {
      // The next question is put to another instance, which knows no set.
      if (isTrap(error)) this.#isStale = true;
      // Whoever asks has chosen the question: it is refused, and nobody else's.
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

  /** Once after a change, when the next question comes. */
  #parse(): void {
    if (!this.#isStale) return;
    try {
      this.#problem = this.#cedar.use((cedar) => this.#take(cedar));
    } catch (error) {
      this.#problem = messageOf(error);
    }
    this.#isStale = false;
  }

  /** Answers what is wrong with the set, if anything. */
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

/** A question in Cedar's terms. */
function callOf(request: AccessRequest, nowMs: number): Call {
  const { caller, verb } = request;
  const principal = { type: 'User', id: caller.name };
  const action = { type: 'Action', id: verb };
  const asked = askedEntity(request);
  const user = { name: caller.name, groups: [...caller.groups], ...(caller.tenant !== undefined && { tenant: caller.tenant }) };
  const entities = [
    { uid: principal, attrs: user, parents: [] },
    { uid: action, attrs: {}, parents: groupsOf(verb).map((id) => ({ type: 'Action', id })) },
    asked,
  ];
  return { principal, action, resource: asked.uid, entities, context: { ...contextAt(nowMs), ...originOf(caller) } };
}

function contextAt(nowMs: number): Call['context'] {
  const now = new Date(nowMs);
  const time = { __extn: { fn: 'datetime', arg: `${now.toISOString().slice(0, 19)}Z` } };
  return { time, hour: now.getUTCHours(), minute: now.getUTCMinutes(), weekday: now.getUTCDay() };
}

/** Where a question came from, where a request is behind it. */
function originOf({ address, impersonator }: AccessRequest['caller']): Call['context'] {
  return {
    ...(address !== undefined && isIP(address) !== 0 && !address.includes('%') && { address: { __extn: { fn: 'ip', arg: address } } }),
    ...(impersonator !== undefined && { impersonator }),
  };
}

function askedEntity({ engine, resource, path = '', project, tenant, labels }: AccessRequest): Wasm.EntityJson {
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
