import type { Devices } from './back-off.js';
import { UnreachableError } from './errors.js';

/** Returns a token that is valid now. */
export type GiveToken = () => string | Promise<string>;

const tokenMsMax = 30_000;

/**
 * Gets a token within a time limit: `give` may hang, and cannot be stopped.
 *
 * @throws UnreachableError, the reason of the signal, or what `give` throws
 */
export async function tokenInTime(give: GiveToken, server: string, { sleep }: Devices, signal: AbortSignal): Promise<string> {
  const token = give();
  if (typeof token === 'string') return token;
  const over = new AbortController();
  const late = sleep(tokenMsMax, AbortSignal.any([signal, over.signal])).then(() => {
    throw new UnreachableError('deadline', server, `no token for ${server} came in time`);
  });
  try {
    return await Promise.race([token, late]);
  } finally {
    over.abort();
  }
}
