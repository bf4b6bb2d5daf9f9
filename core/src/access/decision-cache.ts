import type { AccessDecision, Authorizer, Caller } from '@tappaas/sdk';
import type { AccessQuestion } from '../ports/access.js';

type Resource = NonNullable<AccessQuestion['resource']>;
type Answer = AccessDecision | Promise<AccessDecision>;

/** A period in which the authorizers and their revisions do not change. */
interface Era {
  readonly authorizers: readonly Authorizer[];
  readonly revisions: readonly object[];
}

/** A cached answer with everything it depends on. */
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
 * Caches the authorizers' last answer about each resource object, while all their revisions stay the same. There is one answer per resource
 * object, which must be identical, so the size of the cache is determined by the holders of these objects.
 */
export class DecisionCache {
  readonly #byResource = new WeakMap<Resource, Remembered>();
  #era: Era | undefined;

  /** Returns the cached answer to exactly this question, or the answer of `ask`. */
  answer<Q extends AccessQuestion>(
    authorizers: readonly Authorizer[],
    question: Q,
    ask: (authorizers: readonly Authorizer[], question: Q) => Answer,
  ): Answer {
    const { resource } = question;
    if (question.recurs !== true || question.isReview === true || resource === undefined) return ask(authorizers, question);
    // Determined before asking, so that a change meanwhile makes the answer outdated.
    const era = this.#eraOf(authorizers);
    if (era === undefined) return ask(authorizers, question);
    const known = this.#byResource.get(resource);
    if (known?.era === era && isFor(known, question)) return known.answer;
    const answer = ask(authorizers, question);
    if (!(answer instanceof Promise)) this.#keep(known, era, question, resource, answer);
    return answer;
  }

  /** Reuses the previous entry, because new objects would burden the garbage collector. */
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

  /** Undefined while one of the authorizers must be asked every time. */
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

/** Uses a manual loop, because it runs for every request. */
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
