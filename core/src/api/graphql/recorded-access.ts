import { isTapError, type Awaitable } from '@tappaas/sdk';
import { after, rescued } from '../after.js';
import { dryRunAnnotation } from '../audit-trail.js';
import { isBrokenOff } from '../watch/broken-off.js';
import type { Exchange, StreamPart } from '../request/exchange.js';
import type { Narrowing, Verdict } from '../../ports/access.js';
import { isSameView } from '../watch/stream-access.js';
import { beginEntry, permitPart, type AccessOutcome, type AccessParts, type AskedAccess, type FailedAccess } from './audit-entry.js';
import type { GraphqlParts } from './ports.js';

/** A change, with what audit is told of it besides. */
export interface AskedChange extends AskedAccess {
  readonly isDryRun: boolean;
  /** The requested name of an object that is to be created. */
  readonly name?: string;
  readonly body?: Uint8Array;
}

/** What is followed, while it may be. */
export interface Followed {
  /** The part of it that may be seen, where that is not all. */
  readonly narrowed: Narrowing | undefined;
  /** To be called before anything more is told. @throws TAP_REQUEST_FORBIDDEN */
  readonly askAgain: () => Promise<void>;
  /** Aborts when it is found meanwhile that the caller may no longer. */
  readonly lost: AbortSignal;
}

/** How long something is followed, and where it is looked at again. */
export interface FollowedWithin {
  readonly signal: AbortSignal;
  recheck(checkAccess: StreamPart['checkAccess']): () => void;
}

type Settled<T> = { readonly result: T; readonly outcome: AccessOutcome } | { readonly outcome: FailedAccess };

const namedReadsMax = 50;

/**
 * What one operation, or one subscription, does to objects: all of it is authorized, and whatever is read, changed or followed is an event
 * of audit by itself, in the words of REST and under the id of the request that it came with.
 *
 * The same read is told once. From the 51st on, the reads of a kind in a namespace are told once for all, without names: a large answer
 * costs little, and no read is hidden behind others.
 */
export class RecordedAccess {
  /** Facts about the operation, which each of its events has. */
  readonly annotations: Map<string, string>;
  readonly #parts: AccessParts;
  #told: Set<string> | undefined;

  constructor({ authorize, audit, clock }: GraphqlParts, exchange: Exchange, annotations: Map<string, string>) {
    this.annotations = annotations;
    this.#parts = { authorize, audit, clock, exchange, annotations };
  }

  /** Asks about what audit has been told of already. @throws TAP_REQUEST_FORBIDDEN */
  permit(asked: AskedAccess): Awaitable<Verdict> {
    return permitPart(this.#parts, asked);
  }

  /**
   * Reads what the caller may; audit is told of what is asked, or of what is read by that.
   *
   * @throws TAP_REQUEST_FORBIDDEN, and what `read` throws
   */
  read<T>(
    asked: AskedAccess,
    read: (verdict: Verdict) => Awaitable<T>,
    outcomeOf: (found: T) => AccessOutcome,
    told = asked,
  ): Awaitable<T> {
    const untold = this.#untold(told);
    if (untold === undefined) return after(this.permit(asked), read);
    return recorded(this.#parts, asked, untold, read, outcomeOf);
  }

  /** Changes what the caller may. @throws TAP_REQUEST_FORBIDDEN, and what `change` throws */
  async change<T>(asked: AskedChange, change: () => Promise<T>, outcomeOf: (made: T) => AccessOutcome): Promise<T> {
    if (!asked.isDryRun) return recorded(this.#parts, asked, asked, change, outcomeOf);
    const annotations = new Map([...this.annotations, [dryRunAnnotation, 'true']]);
    return recorded({ ...this.#parts, annotations }, asked, asked, change, outcomeOf);
  }

  /**
   * Follows what the caller may, for as long as they may: told when it begins, and when it ends, with what access said last.
   *
   * @throws TAP_REQUEST_FORBIDDEN, and what `source` throws
   */
  async *follow<T>(
    asked: AskedAccess,
    source: (followed: Followed) => AsyncIterable<T>,
    within: FollowedWithin,
  ): AsyncGenerator<T, void, void> {
    const entry = await beginEntry(this.#parts, asked);
    const lost = new AbortController();
    let outcome: AccessOutcome | FailedAccess = { status: 200 };
    let leave = (): void => {};
    try {
      const { narrowed } = await entry.permit();
      entry.streaming();
      const askAgain = async (): Promise<void> => {
        const now = await entry.permitStill();
        if (!isSameView(now.narrowed, narrowed)) throw entry.deny('another part of it may be seen than when it began');
      };
      // Between events, too: who may no longer see anything is not left to wait for the next.
      leave = within.recheck(() =>
        askAgain().catch((error: unknown) => {
          if (isTapError(error, 'TAP_REQUEST_FORBIDDEN')) lost.abort(error);
        }),
      );
      yield* source({ narrowed, askAgain, lost: lost.signal });
      lost.signal.throwIfAborted();
    } catch (error) {
      // Who has left, or was sent away, has ended it in order: the request's own event says why.
      if (isBrokenOff(within.signal, error)) return;
      outcome = { error };
      throw error;
    } finally {
      leave();
      await entry.end(outcome);
    }
  }

  /** As what audit is still to be told of a read; nothing when it knows. */
  #untold(asked: AskedAccess): AskedAccess | undefined {
    const told = (this.#told ??= new Set());
    const { kind, namespace, name, subresource } = asked.target;
    const kinds = `${asked.verb} ${kind.group}/${kind.plural}/${subresource ?? ''} ${namespace ?? ''}`;
    const named = name === undefined ? kinds : `${kinds}/${name}`;
    const isNamed = told.size < namedReadsMax;
    const key = isNamed ? named : kinds;
    if (told.has(key) || told.has(named)) return undefined;
    told.add(key);
    if (isNamed || name === undefined) return asked;
    const { name: _, ...target } = asked.target;
    return { ...asked, target };
  }
}

/** Access is asked about what was asked for, whatever is told of it. */
function recorded<T>(
  parts: AccessParts,
  asked: AskedAccess & Partial<AskedChange>,
  told: AskedAccess,
  act: (verdict: Verdict) => Awaitable<T>,
  outcomeOf: (done: T) => AccessOutcome,
): Awaitable<T> {
  return after(beginEntry(parts, asked, told), (entry) => {
    const settled = rescued<Settled<T>>(
      () => after(after(entry.permit(), act), (result) => ({ result, outcome: outcomeOf(result) })),
      (error) => ({ outcome: { error, ...(asked.name !== undefined && { subject: { name: asked.name } }) } }),
    );
    return after(settled, (end) =>
      after(entry.end(end.outcome, asked.body), () => {
        if ('result' in end) return end.result;
        throw end.outcome.error;
      }),
    );
  });
}
