import { readFileSync, writeSync } from 'node:fs';
import { Session } from 'node:inspector';
import { parentPort, workerData } from 'node:worker_threads';
import { Silence } from './silence.js';
import { beatSlot, endedSlot, endSlot, frameProbe, looks, type Blocked } from './watchdog-wire.js';

const lookMs = 20;
/** A block longer than this is reported while it lasts; a shorter one by a log line afterwards. */
const reportBlockedMs = 2000;
/** Interval of repeated reports of an ongoing block. */
const repeatMs = 5000;
const errorOutput = 2;

const { shared, blockedMsMax } = workerData as { readonly shared: Int32Array; readonly blockedMsMax: number };

/** One period without a beat, and the code that was observed to cause it. */
interface Episode {
  seen?: Omit<Blocked, 'blockedMs'>;
  /** Its duration at the last live report. */
  reportedMs: number;
  /** Its duration, once it is over. */
  lastedMs?: number;
  /** Duration at which the blocked thread is asked next; infinite while a request is in flight. */
  probeAtMs: number;
}

const session = new Session();
session.connectToMainThread();

const silence = new Silence(performance.now(), lookMs, () => ({
  loopMs: waitedMs(`self/task/${process.pid}`),
  watcherMs: waitedMs('thread-self'),
}));
let lastBeat = Atomics.load(shared, beatSlot);
let episode: Episode = { probeAtMs: blockedMsMax, reportedMs: 0 };

const looking = setInterval(look, lookMs);
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port has no origin
parentPort?.postMessage(looks);

/** Returns how long a thread has waited for a CPU: the second number that Linux reports. */
function waitedMs(thread: string): number {
  try {
    return Number(readFileSync(`/proc/${thread}/schedstat`, 'latin1').split(' ')[1]) / 1e6 || 0;
  } catch {
    return 0;
  }
}

function look(): void {
  if (Atomics.load(shared, endSlot) === 1) {
    end();
    return;
  }
  silence.look(performance.now());
  const beat = Atomics.load(shared, beatSlot);
  if (beat !== lastBeat) {
    lastBeat = beat;
    episode.lastedMs = Math.max(silence.ownMs, episode.reportedMs);
    report(episode);
    episode = { probeAtMs: blockedMsMax, reportedMs: 0 };
    silence.end();
  } else if (silence.lastsMs >= episode.probeAtMs && silence.ownMs >= blockedMsMax) {
    ask(episode);
  }
}

/** Asks the blocked thread through an interrupt which code it runs. It responds as soon as it runs, perhaps just before the block ends. */
function ask(asked: Episode): void {
  asked.probeAtMs = Infinity;
  const expression = `globalThis[Symbol.for('${frameProbe}')]()`;
  session.post('Runtime.evaluate', { expression, returnByValue: true }, (error, answer) => {
    const text: unknown = error === null ? answer.result.value : undefined;
    if (typeof text !== 'string') return;
    asked.seen = JSON.parse(text) as Omit<Blocked, 'blockedMs'>;
    if (asked.lastedMs === undefined) goOn(asked, asked.seen);
    else report(asked);
  });
}

function goOn(asked: Episode, seen: Omit<Blocked, 'blockedMs'>): void {
  silence.look(performance.now());
  const { lastsMs, ownMs } = silence;
  if (ownMs < blockedMsMax) {
    asked.probeAtMs = lastsMs + blockedMsMax - ownMs;
  } else if (lastsMs < reportBlockedMs) {
    asked.probeAtMs = reportBlockedMs;
  } else {
    asked.probeAtMs = lastsMs + repeatMs;
    asked.reportedMs = ownMs;
    reportBlocked(seen, ownMs);
  }
}

/** Writes to standard error directly, because the main thread is blocked. */
function reportBlocked({ plugin, point, stack }: Omit<Blocked, 'blockedMs'>, ownMs: number): void {
  const origin = plugin === undefined ? 'the platform itself' : `plugin ${plugin} in ${point}`;
  writeSync(errorOutput, `the event loop has been blocked for ${Math.round(ownMs)} ms by ${origin}\n${stack}\n`);
}

/** Reports a block once it is over and its cause was observed, in either order. */
function report({ seen, lastedMs = 0 }: Episode): void {
  if (seen === undefined || lastedMs < blockedMsMax) return;
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port has no origin
  parentPort?.postMessage({ ...seen, blockedMs: Math.round(lastedMs) });
}

function end(): void {
  clearInterval(looking);
  session.disconnect();
  Atomics.store(shared, endedSlot, 1);
  Atomics.notify(shared, endedSlot);
  parentPort?.close();
}
