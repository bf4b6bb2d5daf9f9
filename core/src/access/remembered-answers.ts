import type { AccessDecision, Authorizer, Caller } from '@tappaas/sdk';
import type { AccessQuestion } from '../ports/access.js';

type Resource = NonNullable<AccessQuestion['resource']>;
type Answer = AccessDecision | Promise<AccessDecision>;

/** As long as the same authorizers are asked and none of them says that answers may be others. */
interface Era {
  readonly authorizers: readonly Authorizer[];
  readonly revisions: readonly object[];
}

/** An answer with everything that it was given for. */
interface Remembered {
  era: Era;
  caller: Caller;
  engine: string;
  verb: string;
  project: string | undefined;
  tenant: string | undefined;
  isProjectOnly: true | undefined;
  answer: AccessDecision;
}

/**
 * What authorizers have said last about a resource, for as long as all of them say that their answers hold. One answer a resource, which
 * has to be the same object: how much is remembered is up to who keeps resources.
 */
export class RememberedAnswers {
  readonly #byResource = new WeakMap<Resource, Remembered>();
  #era: Era | undefined;

  /** The answer to this very question, or what `ask` answers. */
  answer<Q extends AccessQuestion>(
    authorizers: readonly Authorizer[],
    question: Q,
    ask: (authorizers: readonly Authorizer[], question: Q) => Answer,
  ): Answer {
    const { resource } = question;
    if (question.recurs !== true || question.isReview === true || resource === undefined) return ask(authorizers, question);
    // Looked up before it is asked: what changes meanwhile makes the answer an old one.
    const era = this.#eraOf(authorizers);
    if (era === undefined) return ask(authorizers, question);
    const known = this.#byResource.get(resource);
    if (known?.era === era && isFor(known, question)) return known.answer;
    const answer = ask(authorizers, question);
    if (!(answer instanceof Promise)) this.#keep(known, era, question, resource, answer);
    return answer;
  }

  /** In the place of the last one: each new place would have to be found by the collector. */
  #keep(known: Remembered | undefined, era: Era, question: AccessQuestion, resource: Resource, answer: AccessDecision): void {
    const { caller, engine, verb, project, tenant, isProjectOnly } = question;
    if (known === undefined) {
      this.#byResource.set(resource, { era, caller, engine, verb, project, tenant, isProjectOnly, answer });
      return;
    }
    known.era = era;
    known.caller = caller;
    known.engine = engine;
    known.verb = verb;
    known.project = project;
    known.tenant = tenant;
    known.isProjectOnly = isProjectOnly;
    known.answer = answer;
  }

  /** Nothing as long as one of them has to be asked every time. */
  #eraOf(authorizers: readonly Authorizer[]): Era | undefined {
    if (this.#era === undefined || !lasts(this.#era, authorizers)) {
      const revisions = revisionsOf(authorizers);
      this.#era = revisions && { authorizers, revisions };
    }
    return this.#era;
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
function lasts({ authorizers: before, revisions }: Era, authorizers: readonly Authorizer[]): boolean {
  if (before.length !== authorizers.length) return false;
  for (let index = 0; index < authorizers.length; index += 1) {
    const authorizer = authorizers[index];
    if (authorizer !== before[index] || authorizer?.revision !== revisions[index]) return false;
  }
  return true;
}

function revisionsOf(authorizers: readonly Authorizer[]): readonly object[] | undefined {
  const revisions: object[] = [];
  for (const authorizer of authorizers) {
    const { revision } = authorizer;
    if (revision === undefined || authorizer.readsLabels === true) return undefined;
    revisions.push(revision);
  }
  return revisions;
}
