import { isTapError, type Context, type Resources } from '@tappaas/sdk';
import { ApiToken } from './contract.js';

const tokensMax = 10_000;
/** Accuracy of the last use in the status, milliseconds. */
const coarseMs = 300_000;

/** Records in memory when tokens were used, and writes that periodically, so that a request causes no write. */
export class LastUses {
  readonly #noted = new Map<string, number>();

  /** Records a use. Uses of further tokens beyond the limit are dropped until the next write makes room. */
  note(name: string, atMs: number): void {
    if (this.#noted.has(name) || this.#noted.size < tokensMax) this.#noted.set(name, atMs);
  }

  /** Writes the recorded times, unless the stored one is recent. Failed writes are retried next time. */
  async write({ asPlugin, signal, log }: Pick<Context, 'asPlugin' | 'signal' | 'log'>): Promise<void> {
    // Uses recorded meanwhile are written next time.
    const noted = Array.from(this.#noted);
    const failures: unknown[] = [];
    for (const [name, atMs] of noted) {
      signal.throwIfAborted();
      try {
        await write(name, atMs, asPlugin);
        if (this.#noted.get(name) === atMs) this.#noted.delete(name);
      } catch (error) {
        failures.push(error);
      }
    }
    const [error] = failures;
    if (failures.length > 0) log.warn('when tokens were used was not written', { count: failures.length, error });
  }
}

async function write(name: string, atMs: number, asPlugin: Resources): Promise<void> {
  const token = await asPlugin.get(ApiToken, { name });
  const known = token?.status?.lastUsedTime;
  if (token === undefined || (known !== undefined && atMs - Date.parse(known) < coarseMs)) return;
  const status = { lastUsedTime: new Date(atMs).toISOString() };
  await asPlugin.patch(ApiToken, { name }, { status }, { subresource: 'status' }).catch((error: unknown) => {
    if (!isTapError(error, 'TAP_OBJECT_NOT_FOUND')) throw error;
  });
}
