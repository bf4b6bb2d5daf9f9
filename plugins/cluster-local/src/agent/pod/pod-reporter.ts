import type { Clock, Immutable, Logger, Pod, PodStatus } from '@tappaas/sdk';
import { canonicalJson } from '../../canonical-json.js';
import { isAnswer } from '../api/api-client.js';
import { RetryDelay } from '../api/retry-delay.js';
import type { PodApi } from './pod-context.js';

/** Writes a pod's status to the platform: only the latest, with retries until it is accepted. */
export class PodReporter {
  readonly #api: PodApi;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #signal: AbortSignal;
  readonly #delay: RetryDelay;
  #desired: { readonly pod: Immutable<Pod>; readonly status: PodStatus } | undefined;
  #sending: Promise<void> | undefined;
  #last: PodStatus | undefined;

  constructor(api: PodApi, clock: Clock, log: Logger, signal: AbortSignal) {
    this.#api = api;
    this.#clock = clock;
    this.#log = log;
    this.#signal = signal;
    this.#delay = new RetryDelay(100, 5000, () => 1);
  }

  /** The last reported status. */
  get last(): PodStatus | undefined {
    return this.#last;
  }

  /** Reports a status, unless the pod's object already contains it. */
  report(pod: Immutable<Pod>, status: PodStatus): void {
    this.#last = status;
    this.#desired = isReported(pod, status) ? undefined : { pod, status };
    if (this.#desired) this.#sending ??= this.#send().finally(() => (this.#sending = undefined));
  }

  /** Resolves when the pending report has been delivered. */
  async settled(): Promise<void> {
    await this.#sending;
  }

  async #send(): Promise<void> {
    while (this.#desired !== undefined && !this.#signal.aborted) {
      const { pod, status } = this.#desired;
      try {
        await this.#api.writeStatus(pod, status);
        if (this.#desired?.status === status) this.#desired = undefined;
        this.#delay.reset();
      } catch (error) {
        if (isAnswer(error, 404, 409, 422)) {
          this.#log.debug('status not taken', { pod: pod.metadata.name, error: String(error) });
          if (this.#desired?.status === status) this.#desired = undefined;
        } else await this.#clock.sleep(this.#delay.next(), this.#signal).catch(() => undefined);
      }
    }
  }
}

/** Whether the pod's object already contains every field of a status. */
function isReported(pod: Immutable<Pod>, status: PodStatus): boolean {
  const present = (pod.status ?? {}) as Readonly<Record<string, unknown>>;
  return Object.entries(status).every(([key, value]) => canonicalJson(value) === canonicalJson(present[key]));
}
