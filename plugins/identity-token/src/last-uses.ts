import { isTapError, type Context, type Resources } from '@tappaas/sdk';
import { ApiToken } from './contract.js';

const tokensMax = 10_000;
/** Status says when a token was last used to within this. */
const coarseMs = 300_000;

/** When tokens were used, noted in memory and written now and then: not a write for each request. */
export class LastUses {
  readonly #noted = new Map<string, number>();

  /** Uses beyond the bound are not noted; the next write makes room. */
  note(name: string, atMs: number): void {
    if (this.#noted.has(name) || this.#noted.size < tokensMax) this.#noted.set(name, atMs);
  }

  /** Writes what has been noted, where the time that is stored is not of late. What cannot be written is tried again next time. */
  async write({ asPlugin, signal, log }: Pick<Context, 'asPlugin' | 'signal' | 'log'>): Promise<void> {
    // What is noted meanwhile is written next time.
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
