import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { families, type Awaitable } from '@tappaas/sdk';
import type { Namespace, Server, ServerOptions } from 'socket.io';
import type { Loaded } from '../load.js';
import { startMemoryKernel } from '../memory-test-kernel.js';
import type { Case } from './case.js';

/** Prepares one case. The returned function creates the plugin for one more process, joined with the others of the same case. */
export type MakeSocketAdapter = () => Awaitable<() => Loaded>;

/** A process with its own socket server, joined to the others. */
interface Process {
  readonly io: Server;
  /** Ends the process; the others are notified. */
  end(): Promise<void>;
}

type Body = (start: () => Promise<Process>) => Promise<void>;

/** Maximum time for a message to cross between processes, also on a busy machine. */
const waitMsMax = 20_000;
/** Maximum time for an answer. A process that leaves is dropped from a pending request after five seconds. */
const requestMsMax = 10_000;
const pauseMs = 10;
const many = 100;

/**
 * The conformance cases of socket adapters, for any test runner. Each case creates the plugin again, and a kernel with a socket server per
 * process.
 *
 * @example
 * ```ts
 * for (const { title, run } of conformance.socketAdapter(make)) test(title, run);
 * ```
 */
export function socketAdapterConformance(make: MakeSocketAdapter): readonly Case[] {
  return Object.entries(bodies).map(([title, body]) => ({ title, run: () => runCase(make, body) }));
}

const bodies: Readonly<Record<string, Body>> = {
  'a question is answered by every other process, once each, and not by the one that asks': async (start) => {
    const all = [await start(), await start(), await start()];
    const requested = all.map(() => 0);
    for (const [index, { io }] of all.entries()) {
      io.on('ask', (number: number, answer: (value: object) => void) => {
        if (number > 0) requested[index] = (requested[index] ?? 0) + 1;
        answer({ index, number });
      });
    }
    await untilJoined(all[0], 2);
    for (let number = 1; number <= 20; number += 1) {
      const answers: { readonly index: number; readonly number: number }[] = await request(all[0], number);
      assert.deepEqual(
        answers.toSorted((one, other) => one.index - other.index),
        [
          { index: 1, number },
          { index: 2, number },
        ],
      );
    }
    assert.deepEqual(requested, [0, 20, 20]);
  },
  'what is told comes to the other processes in order, once, and not back': async (start) => {
    const [one, two] = [await start(), await start()];
    answering(two);
    await untilJoined(one, 1);
    const [back, received]: [number[], number[]] = [[], []];
    one.io.on('told', (number: number) => void back.push(number));
    two.io.on('told', (number: number) => void received.push(number));
    for (let number = 0; number < many; number += 1) one.io.serverSideEmit('told', number);
    await until(() => received.length >= many);
    // A duplicate would have arrived before the answer to a later request.
    await request(one, 1);
    assert.deepEqual(received, [...Array(many).keys()]);
    assert.deepEqual(back, []);
  },
  'values arrive as they were sent': async (start) => {
    const [one, two] = [await start(), await start()];
    two.io.on('ask', (value: unknown, answer: (same: unknown) => void) => answer(value));
    await untilJoined(one, 1);
    for (const value of [null, 0, '', 'ü\u2028\u0000😀', [1, [2, { three: null }]], { text: 'x'.repeat(48 * 1024) }]) {
      assert.deepEqual(await request(one, value), [value]);
    }
  },
  'a process that comes later is joined, and one that has gone is not waited for': async (start) => {
    const one = await start();
    assert.deepEqual(await request(one, 1), []);
    const two = await start();
    answering(two);
    await untilJoined(one, 1);
    await two.end();
    await until(async () => (await request(one, 1).catch(() => ['late'])).length === 0);
    const three = await start();
    answering(three);
    await untilJoined(one, 1);
  },
};

async function runCase(make: MakeSocketAdapter, body: Body): Promise<void> {
  const pluginOf = await make();
  const running: Process[] = [];
  try {
    await body(async () => {
      const started = await startProcess(pluginOf());
      running.push(started);
      return started;
    });
  } finally {
    for (const each of running) await each.end();
  }
}

async function startProcess(plugin: Loaded): Promise<Process> {
  const kernel = await startMemoryKernel({ plugins: [plugin] });
  const adapter = kernel.platform.kernel.services.family(families.socketAdapter).get(plugin.id);
  assert(adapter !== undefined, `${plugin.id} provides no socket adapter`);
  assert.notEqual(adapter.description.trim(), '', 'it has no description');
  const opened = await adapter.open();
  const { Server: SocketServer } = await import('socket.io');
  // A `function`, since the library calls it with `new`.
  const made = function joined(namespace: Namespace): object {
    return opened.make(namespace);
  };
  const io = new SocketServer({ serveClient: false, adapter: made as NonNullable<ServerOptions['adapter']> });
  let ending: Promise<void> | undefined;
  const end = async (): Promise<void> => {
    // Only the adapter is closed: the socket server listens on no port.
    await io.of('/').adapter.close();
    await kernel.stop();
  };
  return { io, end: () => (ending ??= end()) };
}

function answering({ io }: Process): void {
  io.on('ask', (value: unknown, answer: (same: unknown) => void) => answer(value));
}

async function request<T>(process: Process | undefined, value: unknown): Promise<T[]> {
  const over = new AbortController();
  const late = pause(requestMsMax, undefined, { signal: over.signal }).then(() => assert.fail(`no answer within ${requestMsMax} ms`));
  try {
    return (await Promise.race([process?.io.serverSideEmitWithAck('ask', value), late])) as T[];
  } finally {
    over.abort();
    late.catch(() => undefined);
  }
}

/** Processes discover each other asynchronously. */
async function untilJoined(process: Process | undefined, others: number): Promise<void> {
  await until(async () => (await request(process, 0).catch(() => [])).length === others);
}

async function until(holds: () => Awaitable<boolean>): Promise<void> {
  for (const endMs = performance.now() + waitMsMax; !(await holds()); await pause(pauseMs)) {
    assert(performance.now() < endMs, `what was waited for did not come within ${waitMsMax} ms`);
  }
}
