import { isTapError, type Context } from '@tappaas/sdk';
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

  /** Writes what has been noted, where the time that is stored is not of late. */
  async write({ asPlugin, signal }: Pick<Context, 'asPlugin' | 'signal'>): Promise<void> {
    const noted = [...this.#noted];
    this.#noted.clear();
    for (const [name, atMs] of noted) {
      signal.throwIfAborted();
      const token = await asPlugin.get(ApiToken, { name });
      const known = token?.status?.lastUsedTime;
      if (token === undefined || (known !== undefined && atMs - Date.parse(known) < coarseMs)) continue;
      const status = { lastUsedTime: new Date(atMs).toISOString() };
      await asPlugin.patch(ApiToken, { name }, { status }, { subresource: 'status' }).catch((error: unknown) => {
        if (!isTapError(error, 'TAP_OBJECT_NOT_FOUND')) throw error;
      });
    }
  }
}
