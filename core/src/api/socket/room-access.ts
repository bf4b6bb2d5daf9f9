import { isTapError, type AccessDecision, type Caller, type Clock } from '@tappaas/sdk';
import { allowed, ask, asReview, forbidden } from '../authorization.js';
import type { StreamPart } from '../request/exchange.js';
import type { RequestInfo } from '../request/request-info.js';
import type { Narrowing } from '../../ports/access.js';
import type { Authorize } from '../stages.js';
import { isSameView } from '../watch/stream-access.js';

/** Maximum age of an access decision when something is sent. */
const grantMsMax = 5000;
const otherView = 'another part of it may be seen than when the room was joined';

/** The caller of a room, and what authorizes the caller. */
export interface RoomCaller {
  readonly caller: Caller;
  readonly info: RequestInfo;
  /** The question to the authorizer, which may be more specific than `info`. */
  readonly requested: RequestInfo;
  readonly authorize: Authorize;
  readonly clock: Pick<Clock, 'nowMs'>;
}

/** Access to a room: checked at the join, before something is sent, and periodically while nothing is. */
export class RoomAccess implements StreamPart {
  /** The last decision, for the audit event. */
  decision: AccessDecision | undefined;
  readonly #room: RoomCaller;
  readonly #lost = new AbortController();
  #view: Narrowing | undefined;
  #askedAtMs = 0;

  constructor(room: RoomCaller) {
    this.#room = room;
  }

  /** Aborts when a periodic check finds that the caller has lost access. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** Checks access at the join; returns the part that the caller may see, if not all. @throws TAP_REQUEST_FORBIDDEN */
  async begin(): Promise<Narrowing | undefined> {
    this.#view = await this.#permitted(this.#room.authorize);
    return this.#view;
  }

  /** Must be called before something is sent. @throws TAP_REQUEST_FORBIDDEN */
  async stands(): Promise<void> {
    this.lost.throwIfAborted();
    const ageMs = this.#room.clock.nowMs() - this.#askedAtMs;
    // A negative age means that the clock was set back: the real age is unknown.
    if (ageMs >= grantMsMax || ageMs < 0) await this.#askAgain();
  }

  async checkAccess(): Promise<void> {
    try {
      await this.#askAgain();
    } catch (error) {
      if (isTapError(error, 'TAP_REQUEST_FORBIDDEN')) this.#lost.abort(error);
    }
  }

  async #askAgain(): Promise<void> {
    if (isSameView(await this.#permitted(asReview(this.#room.authorize)), this.#view)) return;
    this.decision = { decision: 'deny', reason: otherView };
    throw forbidden(this.#room.caller, this.#room.info, otherView);
  }

  async #permitted(authorize: Authorize): Promise<Narrowing | undefined> {
    const { requested, info, caller, clock } = this.#room;
    const verdict = await ask(authorize, requested, caller);
    this.decision = verdict;
    const { narrowed } = allowed(verdict, info, caller);
    this.#askedAtMs = clock.nowMs();
    return narrowed;
  }
}
