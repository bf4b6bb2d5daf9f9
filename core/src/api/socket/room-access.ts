import { isTapError, type AccessDecision, type Caller, type Clock } from '@tappaas/sdk';
import { allowed, ask, asReview, forbidden } from '../authorization.js';
import type { StreamPart } from '../request/exchange.js';
import type { RequestInfo } from '../request/request-info.js';
import type { Narrowing } from '../../ports/access.js';
import type { Authorize } from '../stages.js';
import { isSameView } from '../watch/stream-access.js';

/** How old an answer of authorization may be when something is sent. */
const grantMsMax = 5000;
const otherView = 'another part of it may be seen than when the room was joined';

/** The caller of a room, and what authorizes the access. */
export interface RoomCaller {
  readonly caller: Caller;
  readonly info: RequestInfo;
  /** What access is asked about, where that says more. */
  readonly asked: RequestInfo;
  readonly authorize: Authorize;
  readonly clock: Pick<Clock, 'nowMs'>;
}

/** The right to a room, as long as it stands: asked for at the join, before something is sent, and while nothing is. */
export class RoomAccess implements StreamPart {
  /** What access has said last, which audit is told. */
  decision: AccessDecision | undefined;
  readonly #room: RoomCaller;
  readonly #lost = new AbortController();
  #view: Narrowing | undefined;
  #askedAtMs = 0;

  constructor(room: RoomCaller) {
    this.#room = room;
  }

  /** Aborts when it is found while nothing is sent that the caller may no longer. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** The part of it that may be seen, where that is not all. @throws TAP_REQUEST_FORBIDDEN */
  async begin(): Promise<Narrowing | undefined> {
    this.#view = await this.#permitted(this.#room.authorize);
    return this.#view;
  }

  /** To be called before something is sent. @throws TAP_REQUEST_FORBIDDEN */
  async stands(): Promise<void> {
    this.lost.throwIfAborted();
    const ageMs = this.#room.clock.nowMs() - this.#askedAtMs;
    // An answer from later than now is one from before the clock was set back, and nobody knows how old it is.
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
    const { asked, info, caller, clock } = this.#room;
    const verdict = await ask(authorize, asked, caller);
    this.decision = verdict;
    const { narrowed } = allowed(verdict, info, caller);
    this.#askedAtMs = clock.nowMs();
    return narrowed;
  }
}
