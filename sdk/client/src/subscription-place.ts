import { ApiError, GraphQlError, ResumeError, UnreachableError } from './errors.js';

/** How a subscription continues when its connection breaks. */
export type SubscriptionResume = 'since' | 'anew' | 'never';

type Variables = Readonly<Record<string, unknown>>;

const historyGone: ReadonlySet<string> = new Set(['TAP_STORE_COMPACTED', 'TAP_OBJECT_UNKNOWN_VERSION']);
const passing: ReadonlySet<string> = new Set(['TAP_STORE_SLOW_CONSUMER', 'TAP_API_STOPPING']);

/** The fields of an event that say where to continue. */
interface ResumeFields {
  readonly type?: unknown;
  readonly resourceVersion?: unknown;
  readonly cursor?: unknown;
}

/** The progress of a subscription, across all its connections. */
export class SubscriptionPlace {
  readonly #resume: SubscriptionResume;
  readonly #given: Variables;
  /**
   * The version to continue from. While the existing objects are delivered, in the order of names, no resourceVersion marks the progress.
   */
  #since: string | undefined;
  #hasDelivered = false;

  constructor(text: string, given: Variables, resume: SubscriptionResume | undefined) {
    this.#given = given;
    this.#resume = resume ?? (/\$since\b/.test(text) ? 'since' : 'never');
    const { since } = given;
    if (typeof since === 'string' && since !== '' && since !== '0') this.#since = since;
  }

  /** The variables for the next connection. */
  get variables(): Variables {
    return this.#resume === 'since' && this.#since !== undefined ? { ...this.#given, since: this.#since } : this.#given;
  }

  /** Whether the platform never ends the subscription normally: a subscription to changes lasts as long as the client follows it. */
  get isEndless(): boolean {
    return this.#resume === 'since';
  }

  /** Records a delivered event. @throws TypeError when the document does not select the fields that resuming needs */
  delivered(data: unknown): void {
    this.#hasDelivered = true;
    if (this.#resume !== 'since') return;
    const [delivered] = Object.values(data as object) as (ResumeFields | null)[];
    const { type, resourceVersion, cursor } = delivered ?? {};
    // Lines of a log have no resourceVersion: the position is their cursor.
    if (typeof cursor === 'string') {
      this.#since = cursor;
      return;
    }
    if (typeof resourceVersion !== 'string' || typeof type !== 'string') {
      throw new TypeError(
        'the subscription has a variable $since and selects neither type and resourceVersion nor cursor, without which it cannot go on',
      );
    }
    if (this.#since !== undefined || type !== 'ADDED') this.#since = resourceVersion;
  }

  /** The minimum time to wait before continuing. @throws the error if a retry would not help, ResumeError */
  afterBreak(error: unknown): number | undefined {
    const retryAfterMs = error instanceof GraphQlError ? this.#afterRefusal(error) : afterFailure(error);
    if (this.#hasDelivered && this.#resume !== 'anew' && (this.#resume === 'never' || this.#since === undefined)) {
      const why = this.#resume === 'never' ? 'its field cannot go on behind an event' : 'it broke while what is there was told';
      throw new ResumeError(
        `the subscription cannot go on: ${why}; read anew, and subscribe since the resourceVersion of what was read`,
        error,
      );
    }
    return retryAfterMs;
  }

  #afterRefusal(error: GraphQlError): number | undefined {
    const extensions = error.problems[0]?.extensions;
    const code = extensions?.code ?? '';
    if (historyGone.has(code)) {
      const since = this.#since ?? '';
      throw new ResumeError(
        `the subscription cannot go on behind resourceVersion ${since}: its history is gone; list again, and subscribe since the resourceVersion of the list`,
        error,
      );
    }
    if (typeof extensions?.['retryAfterSeconds'] === 'number') return extensions['retryAfterSeconds'] * 1000;
    if (!passing.has(code)) throw error;
    return undefined;
  }
}

function afterFailure(error: unknown): number | undefined {
  if ((error instanceof ApiError || error instanceof UnreachableError) && error.isPassing) {
    return error instanceof ApiError ? error.retryAfterMs : undefined;
  }
  throw error;
}
