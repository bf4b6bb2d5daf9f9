import { readFileSync, writeSync } from 'node:fs';
import { Session } from 'node:inspector';
import { parentPort, workerData } from 'node:worker_threads';
import { Silence } from './silence.js';
import { beatSlot, endedSlot, endSlot, frameProbe, looks, type Blocked } from './watchdog-wire.js';

const lookMs = 20;
/** What lasts longer is told while it does; what does not, in one line of the log once it is over. */
const tellLiveMs = 2000;
/** While it goes on it is told again this often. */
const repeatMs = 5000;
const errorOutput = 2;

const { shared, blockedMsMax } = workerData as { readonly shared: Int32Array; readonly blockedMsMax: number };

/** One time without a beat, and who was seen to cause it. */
interface Episode {
  seen?: Omit<Blocked, 'blockedMs'>;
  /** How long it had been when it was told live. */
  toldMs: number;
  /** How long it was, once it is over. */
  lastedMs?: number;
  /** How long it has to have lasted for the next question; for ever while one is open. */
  askAtMs: number;
}

const session = new Session();
session.connectToMainThread();

const silence = new Silence(performance.now(), lookMs, () => ({
  loopMs: waitedMs(`self/task/${process.pid}`),
  watcherMs: waitedMs('thread-self'),
}));
let lastBeat = Atomics.load(shared, beatSlot);
let episode: Episode = { askAtMs: blockedMsMax, toldMs: 0 };

const looking = setInterval(look, lookMs);
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port has no origin
parentPort?.postMessage(looks);

/** How long a thread has stood in line for a processor; Linux says it, as the second number. */
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
    episode.lastedMs = Math.max(silence.ownMs, episode.toldMs);
    report(episode);
    episode = { askAtMs: blockedMsMax, toldMs: 0 };
    silence.end();
  } else if (silence.lastsMs >= episode.askAtMs && silence.ownMs >= blockedMsMax) {
    ask(episode);
  }
}

/** Asks the blocked thread, by an interrupt, whose code it runs: it answers as soon as it runs, perhaps right before the block is over. */
function ask(asked: Episode): void {
  asked.askAtMs = Infinity;
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
    asked.askAtMs = lastsMs + blockedMsMax - ownMs;
  } else if (lastsMs < tellLiveMs) {
    asked.askAtMs = tellLiveMs;
  } else {
    asked.askAtMs = lastsMs + repeatMs;
    asked.toldMs = ownMs;
    tellLive(seen, ownMs);
  }
}

/** The main thread cannot. */
function tellLive({ plugin, point, stack }: Omit<Blocked, 'blockedMs'>, ownMs: number): void {
  const who = plugin === undefined ? 'the platform itself' : `plugin ${plugin} in ${point}`;
  writeSync(errorOutput, `the event loop has been blocked for ${Math.round(ownMs)} ms by ${who}\n${stack}\n`);
}

/** Once it is over and somebody was seen, in whichever order. */
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
