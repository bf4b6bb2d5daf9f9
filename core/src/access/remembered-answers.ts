import type { AccessDecision, Authorizer, Caller } from '@tappaas/sdk';
import type { AccessQuestion } from './verdict.js';

type Resource = NonNullable<AccessQuestion['resource']>;
type Answer = AccessDecision | Promise<AccessDecision>;

/** An answer with everything that it was given for, and the revision of each authorizer then. */
interface Remembered {
  readonly caller: Caller;
  readonly engine: string;
  readonly verb: string;
  readonly project: string | undefined;
  readonly tenant: string | undefined;
  readonly isProjectOnly: true | undefined;
  readonly authorizers: readonly Authorizer[];
  readonly revisions: readonly object[];
  readonly answer: AccessDecision;
}

/**
 * What authorizers have said last about a resource, for as long as all of them say that their answers hold. One answer a resource, which
 * has to be the same object: how much is remembered is up to who keeps resources.
 */
export class RememberedAnswers {
  readonly #byResource = new WeakMap<Resource, { last: Remembered | undefined }>();

  /** The answer to this very question, or what `ask` answers. */
  answer<Q extends AccessQuestion>(
    authorizers: readonly Authorizer[],
    question: Q,
    ask: (authorizers: readonly Authorizer[], question: Q) => Answer,
  ): Answer {
    const { resource } = question;
    if (question.recurs !== true || question.isReview === true || resource === undefined) return ask(authorizers, question);
    const slot = this.#byResource.get(resource) ?? { last: undefined };
    const { last } = slot;
    if (last === undefined) this.#byResource.set(resource, slot);
    else if (isFor(last, question) && holds(last, authorizers)) return last.answer;
    // Read before: what changes while it is asked makes the answer an old one.
    const revisions = revisionsOf(authorizers);
    const answer = ask(authorizers, question);
    if (revisions === undefined || answer instanceof Promise) return answer;
    const { caller, engine, verb, project, tenant, isProjectOnly } = question;
    slot.last = { caller, engine, verb, project, tenant, isProjectOnly, authorizers, revisions, answer };
    return answer;
  }
}

function isFor(known: Remembered, { caller, engine, verb, project, tenant, isProjectOnly }: AccessQuestion): boolean {
  return (
    known.caller === caller &&
    known.verb === verb &&
    known.engine === engine &&
    known.project === project &&
    known.tenant === tenant &&
    known.isProjectOnly === isProjectOnly
  );
}

/** Loops by hand: asked for every request. */
function holds(known: Remembered, authorizers: readonly Authorizer[]): boolean {
  if (known.authorizers.length !== authorizers.length) return false;
  for (let index = 0; index < authorizers.length; index += 1) {
    const authorizer = authorizers[index];
    if (authorizer !== known.authorizers[index] || authorizer?.revision !== known.revisions[index]) return false;
  }
  return true;
}

/** Nothing as soon as one of them has to be asked every time. */
function revisionsOf(authorizers: readonly Authorizer[]): readonly object[] | undefined {
  const revisions: object[] = [];
  for (const authorizer of authorizers) {
    const { revision } = authorizer;
    if (revision === undefined || authorizer.readsLabels === true) return undefined;
    revisions.push(revision);
  }
  return revisions;
}
