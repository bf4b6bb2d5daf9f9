// A process that writes until it is killed, and reports each acknowledgment on standard output before it does anything else.
import { writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Failpoints, type FailpointName } from '../dist/failpoints.js';
import { openSqliteStore } from '../dist/store.js';

const [directory = '', point = '', skip = '0'] = process.argv.slice(2);
const failpoints = new Failpoints();
if (point !== '') failpoints.arm(point as FailpointName, 'kill', Number(skip));
const clock = { nowMs: () => Date.now(), sleep: (ms: number, signal: AbortSignal) => sleep(ms, undefined, { signal }) };
const store = await openSqliteStore({ directory, clock, failpoints, checkpointBytes: 200_000 });
print('open');

/** Blocks while the reader is slow: the line must have left this process before it continues. */
function print(line: string): void {
  for (let rest = Buffer.from(`${line}\n`); rest.length > 0;) {
    try {
      rest = rest.subarray(writeSync(1, rest));
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}

/** Each transaction makes the same change to two keys, adds one and counts it, so that a partial transaction would be visible. */
async function client(name: number): Promise<never> {
  for (let round = (await last(name)) + 1; ; round++) {
    const value = Buffer.from(`${round} ${'x'.repeat((round * 37) % 1_500)}`);
    const result = await store.transact({
      claims: [
        { counter: 'total', amount: 1 },
        { unique: `${name}/${round}`, holder: 'me' },
      ],
      changes: [
        { put: `a/${name}`, value },
        { put: `b/${name}`, value },
        { put: `log/${name}/${round}`, value },
        { delete: `log/${name}/${round - 20}` },
      ],
    });
    print(`${name} ${round} ${result.revision}`);
  }
}

async function last(name: number): Promise<number> {
  const found = await store.get(`a/${name}`);
  return found === undefined ? 0 : Number.parseInt(Buffer.from(found.value).toString(), 10);
}

async function compacting(): Promise<never> {
  for (;;) {
    await sleep(20);
    const revision = (await store.currentRevision()) - 50;
    if (revision > store.health().compactedRevision) await store.compact(revision);
  }
}

await Promise.all([...Array.from({ length: 12 }, (_, name) => client(name)), compacting()]);
