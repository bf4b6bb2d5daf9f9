import type { Immutable } from '@tappaas/sdk';
import type { Handler, Occasion } from '../../dist/reconcile/handler-feed.js';
import type { InformerOptions } from '../../dist/reconcile/informer-options.js';
import { createInformer } from '../../dist/reconcile/informer.js';
import { VirtualClock } from '../virtual-clock.ts';
import { FakeSource, type Thing } from './fake-source.ts';

export function setUp(options: Partial<InformerOptions<Thing>> = {}) {
  const clock = new VirtualClock();
  const source = new FakeSource();
  const errors: unknown[] = [];
  const informer = createInformer<Thing>({
    name: 'things',
    source,
    clock,
    random: () => 0.5,
    backoff: (failures) => Math.min(15_000, 200 * 2 ** failures),
    onError: (error) => void errors.push(error),
    ...options,
  });
  const stop = new AbortController();
  const start = async (): Promise<void> => {
    void informer.run(stop.signal);
    await clock.advance(0);
  };
  return { clock, source, informer, errors, stop, start };
}

/** Writes down what it is told, such as `add a@1`. */
export function recorder(log: string[]): Handler<Thing> {
  const mark = (thing: Immutable<Thing>, occasion: Occasion): string => {
    const flags = `${occasion.isInInitialList ? ' initial' : ''}${occasion.isResync ? ' resync' : ''}${occasion.isTombstone ? ' tombstone' : ''}`;
    return `${thing.metadata.name}@${thing.metadata.resourceVersion}${flags}`;
  };
  return {
    add: (thing, occasion) => void log.push(`add ${mark(thing, occasion)}`),
    update: (thing, previous, occasion) => void log.push(`update ${previous.metadata.resourceVersion}>${mark(thing, occasion)}`),
    delete: (thing, occasion) => void log.push(`delete ${mark(thing, occasion)}`),
  };
}
