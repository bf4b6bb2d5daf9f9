import { writeSync } from 'node:fs';
import { Session } from 'node:inspector';
import { parentPort, workerData } from 'node:worker_threads';
import { beatSlot, endedSlot, endSlot, frameProbe, looks, type Blocked } from './watchdog-wire.js';

const lookMs = 20;
/** While it goes on it is told again this often. */
const repeatMs = 5000;
const errorOutput = 2;

const { shared, blockedMsMax } = workerData as { readonly shared: Int32Array; readonly blockedMsMax: number };

const session = new Session();
session.connectToMainThread();

let lastBeat = Atomics.load(shared, beatSlot);
let beatAtMs = performance.now();
let toldAtMs: number | undefined;
let seen: Blocked | undefined;

const looking = setInterval(look, lookMs);
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port has no origin
parentPort?.postMessage(looks);

function look(): void {
  if (Atomics.load(shared, endSlot) === 1) {
    end();
    return;
  }
  const nowMs = performance.now();
  const beat = Atomics.load(shared, beatSlot);
  if (beat !== lastBeat) {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port has no origin
    if (seen !== undefined) parentPort?.postMessage({ ...seen, blockedMs: Math.round(nowMs - beatAtMs) });
    lastBeat = beat;
    beatAtMs = nowMs;
    toldAtMs = undefined;
    seen = undefined;
    return;
  }
  const blockedMs = nowMs - beatAtMs;
  if (blockedMs < blockedMsMax || (toldAtMs !== undefined && nowMs - toldAtMs < repeatMs)) return;
  toldAtMs = nowMs;
  ask(Math.round(blockedMs));
}

/** Asks the blocked thread, by an interrupt, whose code it runs, and tells it at once: the main thread cannot. */
function ask(blockedMs: number): void {
  const expression = `globalThis[Symbol.for('${frameProbe}')]()`;
  session.post('Runtime.evaluate', { expression, returnByValue: true }, (error, answer) => {
    const text: unknown = error === null ? answer.result.value : undefined;
    if (typeof text !== 'string') return;
    const blocked = { ...(JSON.parse(text) as Omit<Blocked, 'blockedMs'>), blockedMs };
    seen = blocked;
    const who = blocked.plugin === undefined ? 'the platform itself' : `plugin ${blocked.plugin} in ${blocked.point}`;
    writeSync(errorOutput, `the event loop has been blocked for ${blockedMs} ms by ${who}\n${blocked.stack}\n`);
  });
}

function end(): void {
  clearInterval(looking);
  session.disconnect();
  Atomics.store(shared, endedSlot, 1);
  Atomics.notify(shared, endedSlot);
  parentPort?.close();
}
