/** What one tenant notices of another that floods the API. */
import { exchange, openSocket, requestText, type Place } from './load.ts';

const floodedMs = 3000;
const path = '/api/v1/namespaces/default/configmaps/c0';

/** How long a tenant's reads take, one at a time, with short pauses; in milliseconds, sorted. */
async function times(place: Place, reads: number): Promise<readonly number[]> {
  const socket = await openSocket(place);
  const request = requestText('GET', path, 'tenant-quiet');
  const taken: number[] = [];
  for (let index = 0; index < reads; index += 1) {
    const startMs = performance.now();
    await exchange(socket, request);
    taken.push(performance.now() - startMs);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  socket.destroy();
  return taken.toSorted((a, b) => a - b);
}

const p99 = (sorted: readonly number[]): number => sorted[Math.floor(sorted.length * 0.99)] ?? 0;

/**
 * The 99th percentile of a tenant alone, and beside one that asks on fifty connections at once, as fast as it is answered. Both are
 * measured in turns, and the best of each counts: what else the machine does meets both alike.
 */
export async function isolation(place: Place, reads: number, turns: number): Promise<{ readonly alone: number; readonly beside: number }> {
  let [alone, beside] = [Infinity, Infinity];
  for (let turn = 0; turn < turns; turn += 1) {
    alone = Math.min(alone, p99(await times(place, reads)));
    beside = Math.min(beside, await besideFlood(place, reads));
  }
  return { alone, beside };
}

async function besideFlood(place: Place, reads: number): Promise<number> {
  const flood = requestText('GET', path, 'tenant-loud');
  const sockets = await Promise.all(Array.from({ length: 50 }, () => openSocket(place)));
  const over = new AbortController();
  const loops = sockets.map(async (socket) => {
    while (!over.signal.aborted) await exchange(socket, flood);
  });
  // What it may have at once after a pause is its right; what is looked at is the time after.
  await new Promise((resolve) => setTimeout(resolve, floodedMs));
  const taken = p99(await times(place, reads));
  over.abort();
  await Promise.all(loops);
  for (const socket of sockets) socket.destroy();
  return taken;
}
