import test from 'ava';
import { storeConformance, type MakeStore } from '../../../sdk/testing/dist/conformance/store.js';
import { VirtualClock } from '../../../sdk/testing/dist/virtual-clock.js';
import { createMemoryStore } from '../../dist/store/memory-store.js';

const make: MakeStore = async () => {
  const clock = new VirtualClock();
  const store = createMemoryStore({ clock });
  return { store, advance: (ms) => clock.advance(ms), dispose: () => store.close() };
};

for (const { title, run } of storeConformance(make, { durable: false })) test(title, (t) => t.notThrowsAsync(run));
