import test from 'ava';
import * as fc from 'fast-check';
import { VirtualClock } from '../../../sdk/testing/dist/virtual-clock.js';
import { createMemoryStore } from '../../dist/store/memory-store.js';
import type { Channel } from '../../dist/store/remote/channel.js';
import { LeasedStore } from '../../dist/store/remote/leased-store.js';
import type { ToClient, ToServer } from '../../dist/store/remote/protocol.js';
import { ReadLeases } from '../../dist/store/remote/read-leases.js';
import { openRemoteStore } from '../../dist/store/remote/remote-store.js';
import { serveStore } from '../../dist/store/remote/store-server.js';

const settled = () => new Promise((turn) => setImmediate(turn));

/** A way on which messages lie until somebody delivers them. */
function wire<Message>() {
  const lying: Message[] = [];
  let listener: (message: Message) => void = () => undefined;
  let sent = 0;
  return {
    get sent() {
      return sent;
    },
    send: (message: Message) => {
      sent += 1;
      lying.push(structuredClone(message));
    },
    listen: (hear: (message: Message) => void) => void (listener = hear),
    deliver: () => {
      const message = lying.shift();
      if (message !== undefined) listener(message);
      return message !== undefined;
    },
  };
}

async function platform(processes: number) {
  const clock = new VirtualClock();
  const local = createMemoryStore({ clock });
  const leases = new ReadLeases(clock);
  const store = new LeasedStore(local, leases);
  const commits: (() => void)[] = [];
  const transact = local.transact.bind(local);
  local.transact = async (transaction) => {
    await new Promise<void>((commit) => commits.push(commit));
    return transact(transaction);
  };
  const commit = (): boolean => {
    const next = commits.shift();
    next?.();
    return next !== undefined;
  };
  const opening = Array.from({ length: processes }, async () => {
    const [down, up] = [wire<ToClient>(), wire<ToServer>()];
    const end = { onClose: () => undefined, close: () => undefined };
    const server: Channel<ToClient, ToServer> = { ...end, send: down.send, onMessage: up.listen };
    const client: Channel<ToServer, ToClient> = { ...end, send: up.send, onMessage: down.listen };
    serveStore({ store, leases, clock, channel: server });
    const opened = openRemoteStore({ channel: client, clock });
    await settled();
    while (down.deliver()) await settled();
    return { store: await opened, down, up };
  });
  return { clock, store, commit, processes: await Promise.all(opening) };
}

type Running = Awaited<ReturnType<typeof platform>>;

/** Delivers everything that lies anywhere, until nothing does. */
async function deliverAll({ processes, commit }: Running): Promise<void> {
  for (let quiet = 0; quiet < 3; quiet += 1) {
    await settled();
    while (commit()) quiet = 0;
    for (const { down, up } of processes) while (down.deliver() || up.deliver()) quiet = 0;
  }
}

async function answerOf<T>(running: Running, requested: T | Promise<T>): Promise<T> {
  if (requested instanceof Promise) await deliverAll(running);
  return requested;
}

const put = (key: string) => ({ changes: [{ put: key, value: Buffer.from('x') }] });

test('a process that has asked once reads on without a message until something is written', async (t) => {
  const running = await platform(1);
  const [{ store, up }] = running.processes as [Running['processes'][number]];
  t.is(await answerOf(running, store.currentRevision()), 0);
  const before = up.sent;
  for (let read = 0; read < 100; read += 1) t.is(store.currentRevision(), 0);
  t.is(up.sent, before);
  await answerOf(running, running.store.transact(put('a')));
  t.true(store.currentRevision() instanceof Promise);
  await deliverAll(running);
});

test('a lease ends by itself, and who reads often has it renewed before', async (t) => {
  const running = await platform(1);
  const [{ store }] = running.processes as [Running['processes'][number]];
  await answerOf(running, store.currentRevision());
  await running.clock.advance(15);
  t.is(store.currentRevision(), 0);
  await deliverAll(running);
  await running.clock.advance(15);
  t.is(store.currentRevision(), 0, 'renewed by the read before');
  await running.clock.advance(25);
  t.true(store.currentRevision() instanceof Promise);
  await deliverAll(running);
});

test('a process that does not give its lease back holds writes up no longer than the lease can last', async (t) => {
  const running = await platform(1);
  const [{ store }] = running.processes as [Running['processes'][number]];
  await answerOf(running, store.currentRevision());
  let isWritten = false;
  const writing = running.store.transact(put('a')).then(() => (isWritten = true));
  running.commit();
  await settled();
  await running.clock.advance(49);
  t.false(isWritten);
  await running.clock.advance(1);
  await writing;
  t.true(isWritten);
});

test('a lease that comes to a process which is writing meanwhile is not taken', async (t) => {
  const running = await platform(2);
  const [one, other] = running.processes as [Running['processes'][number], Running['processes'][number]];
  const reading = one.store.currentRevision();
  one.up.deliver();
  await settled();
  const writing = one.store.transact(put('a'));
  one.up.deliver();
  running.commit();
  await settled();
  while (one.down.deliver()) await settled();
  await Promise.all([reading, writing]);
  const later = other.store.transact(put('b'));
  for (let turn = 0; turn < 3; turn += 1) {
    while (other.up.deliver() || running.commit() || other.down.deliver()) await settled();
    await settled();
  }
  const { ok, revision } = (await later) as { readonly ok: boolean; readonly revision: number };
  t.true(ok);
  t.is(await answerOf(running, one.store.currentRevision()), revision);
});

test('nobody is told of a change while somebody else may still deny it', async (t) => {
  const running = await platform(2);
  const [one, other] = running.processes as [Running['processes'][number], Running['processes'][number]];
  await answerOf(running, one.store.currentRevision());
  const writing = running.store.transact(put('a'));
  running.commit();
  await settled();
  let reported = -1;
  void Promise.resolve(other.store.currentRevision()).then((revision) => (reported = revision));
  for (let turn = 0; turn < 3; turn += 1) {
    while (other.up.deliver() || other.down.deliver()) await settled();
    await settled();
  }
  t.is(one.store.currentRevision(), 0);
  t.is(reported, -1);
  await answerOf(running, writing);
  t.is(reported, 1);
});

test('whatever order messages arrive in, no process reads less than was acknowledged or shown anywhere before', async (t) => {
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.record({ do: fc.constantFrom('down', 'up'), process: fc.nat(2) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('read', 'write'), process: fc.nat(2) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('read and deliver'), process: fc.nat(2) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('own write', 'commit', 'wait'), process: fc.constant(0) }) },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const running = await platform(3);
      const pending: Promise<unknown>[] = [];
      let known = 0;
      const shown = (revision: number): void => void (known = Math.max(known, revision));
      const write = async (store: Running['store']): Promise<void> => {
        const result = await store.transact(put('a'));
        if (result.ok) shown(result.revision);
      };
      for (const { do: what, process } of steps) {
        const at = running.processes[process];
        if (at === undefined) continue;
        if (what === 'down') at.down.deliver();
        else if (what === 'up') at.up.deliver();
        else if (what === 'commit') running.commit();
        else if (what === 'wait') await running.clock.advance(7);
        else if (what === 'own write') pending.push(write(running.store));
        else if (what === 'write') pending.push(write(at.store as Running['store']));
        else {
          const before = known;
          const read = async (): Promise<void> => {
            const revision = await at.store.currentRevision();
            if (revision < before) throw new Error(`read ${revision} after ${before} was known`);
            shown(revision);
          };
          pending.push(read());
          const turns = what === 'read and deliver' ? 4 : 0;
          for (let turn = 0; turn < turns; turn += 1) {
            while (at.up.deliver() || at.down.deliver()) await settled();
            await settled();
          }
        }
        await settled();
      }
      await deliverAll(running);
      await running.clock.advance(60);
      await deliverAll(running);
      await Promise.all(pending);
    }),
    { numRuns: 300 },
  );
  t.pass();
});
