/** The suite for socket adapters: the fake passes it, and faulty ones are detected. */
import { definePlugin, families, type OpenSocketAdapter } from '@tappaas/sdk';
import { Adapter } from 'socket.io-adapter';
import test from 'ava';
import { conformance, fakeSocketAdapter, load, type Case } from '../dist/index.js';

const fake = () => {
  const plugin = fakeSocketAdapter();
  return () => load(plugin, {});
};
for (const { title, run } of conformance.socketAdapter(fake)) test(title, (t) => t.notThrowsAsync(run()));

async function passing(cases: readonly Case[]): Promise<readonly string[]> {
  const passed: string[] = [];
  await Promise.all(
    cases.map(({ title, run }) =>
      run().then(
        () => passed.push(title),
        () => undefined,
      ),
    ),
  );
  return passed;
}

test('an adapter that joins nothing passes nothing', async (t) => {
  t.timeout(120_000);
  const opened: OpenSocketAdapter = { make: (namespace) => new Adapter(namespace) };
  const plugin = definePlugin({
    id: 'alone',
    setup: (host) => host.provide(families.socketAdapter, () => ({ description: 'Nothing.', open: async () => opened })),
  });
  t.deepEqual(await passing(conformance.socketAdapter(() => () => load(plugin, {}))), []);
});
