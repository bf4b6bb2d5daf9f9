import { isTapError, type Awaitable } from '@tappaas/sdk';
import { after, rescued } from '../after.js';
import { dryRunAnnotation } from '../audit-trail.js';
import { isBrokenOff } from '../watch/broken-off.js';
import type { Exchange, StreamPart } from '../request/exchange.js';
import type { Narrowing, Verdict } from '../../ports/access.js';
import { isSameView } from '../watch/stream-access.js';
import { beginEntry, permitPart, type AccessOutcome, type AccessParts, type RequestedAccess, type FailedAccess } from './audit-entry.js';
import type { GraphqlParts } from './ports.js';

/** A change to authorize and to audit. */
export interface RequestedChange extends RequestedAccess {
  readonly isDryRun: boolean;
  /** Requested name of an object to create. */
  readonly name?: string;
  readonly body?: Uint8Array;
}

/** Handed to the source of a stream that access allows to follow. */
export interface Followed {
  /** The part that the caller may see, if not all. */
  readonly narrowed: Narrowing | undefined;
  /** Must be called before anything is sent. @throws TAP_REQUEST_FORBIDDEN */
  readonly reauthorize: () => Promise<void>;
  /** Aborts when a recheck finds that the caller has lost access. */
  readonly lost: AbortSignal;
}

/** Lifetime of a stream, and where its access checks are registered. */
export interface FollowedWithin {
  readonly signal: AbortSignal;
  recheck(checkAccess: StreamPart['checkAccess']): () => void;
}

type Settled<T> = { readonly result: T; readonly outcome: AccessOutcome } | { readonly outcome: FailedAccess };

const namedReadsMax = 50;

/**
 * Authorizes and audits what one operation or subscription does to objects: each read, change or stream is an audit event of its own, with
 * the verb and resource of REST and the id of the request.
 *
 * Repeated reads are audited once. From the 51st distinct read on, reads of a kind in a namespace share one event without a name: a large
 * answer adds few events, yet every read is covered.
 */
export class RecordedAccess {
  /** Facts about the operation, added to each of its events. */
  readonly annotations: Map<string, string>;
  readonly #parts: AccessParts;
  #recorded: Set<string> | undefined;

  constructor({ authorize, audit, clock }: GraphqlParts, exchange: Exchange, annotations: Map<string, string>) {
    this.annotations = annotations;
    this.#parts = { authorize, audit, clock, exchange, annotations };
  }

  /** Authorizes an access that is already audited. @throws TAP_REQUEST_FORBIDDEN */
  permit(requested: RequestedAccess): Awaitable<Verdict> {
    return permitPart(this.#parts, requested);
  }

  /**
   * Authorizes and runs a read; the audit event records `recordedAs` instead of `requested` where they differ.
   *
   * @throws TAP_REQUEST_FORBIDDEN, and errors of `read`
   */
  read<T>(
    requested: RequestedAccess,
    read: (verdict: Verdict) => Awaitable<T>,
    outcomeOf: (found: T) => AccessOutcome,
    recordedAs = requested,
  ): Awaitable<T> {
    const unrecorded = this.#unrecorded(recordedAs);
    if (unrecorded === undefined) return after(this.permit(requested), read);
    return recorded(this.#parts, requested, unrecorded, read, outcomeOf);
  }

  /** Authorizes, runs and audits a change. @throws TAP_REQUEST_FORBIDDEN, and errors of `change` */
  async change<T>(requested: RequestedChange, change: () => Promise<T>, outcomeOf: (made: T) => AccessOutcome): Promise<T> {
    if (!requested.isDryRun) return recorded(this.#parts, requested, requested, change, outcomeOf);
    const annotations = new Map([...this.annotations, [dryRunAnnotation, 'true']]);
    return recorded({ ...this.#parts, annotations }, requested, requested, change, outcomeOf);
  }

  /**
   * Follows a source while the caller has access. Audited at the beginning and at the end, with the last decision of access.
   *
   * @throws TAP_REQUEST_FORBIDDEN, and errors of `source`
   */
  async *follow<T>(
    requested: RequestedAccess,
    source: (followed: Followed) => AsyncIterable<T>,
    within: FollowedWithin,
  ): AsyncGenerator<T, void, void> {
    const entry = await beginEntry(this.#parts, requested);
    const lost = new AbortController();
    let outcome: AccessOutcome | FailedAccess = { status: 200 };
    let leave = (): void => {};
    try {
      const { narrowed } = await entry.permit();
      entry.streaming();
      const reauthorize = async (): Promise<void> => {
        const now = await entry.permitStill();
        if (!isSameView(now.narrowed, narrowed)) throw entry.deny('another part of it may be seen than when it began');
      };
      // Access is also checked between events, so a stream whose caller lost it ends without waiting for the next event.
      leave = within.recheck(() =>
        reauthorize().catch((error: unknown) => {
          if (isTapError(error, 'TAP_REQUEST_FORBIDDEN')) lost.abort(error);
        }),
      );
      yield* source({ narrowed, reauthorize, lost: lost.signal });
      lost.signal.throwIfAborted();
    } catch (error) {
      // The client left or the stream was ended in order, which is no failure: the audit event of the request has the reason.
      if (isBrokenOff(within.signal, error)) return;
      outcome = { error };
      throw error;
    } finally {
      leave();
      await entry.end(outcome);
    }
  }

  /** Returns the access to audit for a read; undefined when it is audited already. */
  #unrecorded(requested: RequestedAccess): RequestedAccess | undefined {
    const recordedAs = (this.#recorded ??= new Set());
    const { kind, namespace, name, subresource } = requested.target;
    const kinds = `${requested.verb} ${kind.group}/${kind.plural}/${subresource ?? ''} ${namespace ?? ''}`;
    const named = name === undefined ? kinds : `${kinds}/${name}`;
    const isNamed = recordedAs.size < namedReadsMax;
    const key = isNamed ? named : kinds;
    if (recordedAs.has(key) || recordedAs.has(named)) return undefined;
    recordedAs.add(key);
    if (isNamed || name === undefined) return requested;
    const { name: _, ...target } = requested.target;
    return { ...requested, target };
  }
}

/** Runs an audited action: access is checked for `requested`, the audit event records `recordedAs`. */
function recorded<T>(
  parts: AccessParts,
  requested: RequestedAccess & Partial<RequestedChange>,
  recordedAs: RequestedAccess,
  act: (verdict: Verdict) => Awaitable<T>,
  outcomeOf: (done: T) => AccessOutcome,
): Awaitable<T> {
  return after(beginEntry(parts, requested, recordedAs), (entry) => {
    const settled = rescued<Settled<T>>(
      () => after(after(entry.permit(), act), (result) => ({ result, outcome: outcomeOf(result) })),
      (error) => ({ outcome: { error, ...(requested.name !== undefined && { subject: { name: requested.name } }) } }),
    );
    return after(settled, (end) =>
      after(entry.end(end.outcome, requested.body), () => {
        if ('result' in end) return end.result;
        throw end.outcome.error;
      }),
    );
  });
}
