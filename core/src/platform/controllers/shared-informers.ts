import type { AnyKind, Clock, Logger } from '@tappaas/sdk';
import type { ResourceEngine } from '../../resources/engine.js';
import { createInformer, type Informer } from '../../reconcile/informer.js';
import { keepElsewhere } from '../../reconcile/stored-form.js';
import type { EngineObject } from '../engine-object.js';
import { createBackoff } from '../../queue/backoff.js';
import { sourceBackoff } from '../back-off.js';
import { isInStep } from '../caught-up.js';

/** One cache per engine and kind, shared by all its readers. */
export interface SharedInformers {
  /** Returns the informer of a kind, which starts on first use. */
  of(engine: string, kind: AnyKind): Informer<EngineObject>;
  /** Whether every cache contains exactly the current state of its engine. */
  isCaughtUp(signal: AbortSignal): Promise<boolean>;
  stop(): Promise<void>;
}

interface Following {
  readonly informer: Informer<EngineObject>;
  readonly current: (signal: AbortSignal) => Promise<{ readonly items: Iterable<EngineObject> }>;
  readonly running: Promise<void>;
}

export interface SharedInformersOptions {
  readonly engine: (name: string) => ResourceEngine;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
}

export function createSharedInformers({ engine, clock, random, log }: SharedInformersOptions): SharedInformers {
  const stopping = new AbortController();
  const informers = new Map<string, Following>();
  return {
    of(engineName, kind) {
      const name = `${engineName}/${kind.group}/${kind.kind}`;
      const known = informers.get(name);
      if (known) return known.informer;
      const source = engine(engineName).source<EngineObject>(kind);
      const informer = createInformer<EngineObject>({
        name,
        source,
        keep: keepElsewhere((object) => source.placeOf(object)),
        clock,
        random,
        backoff: createBackoff(sourceBackoff, random),
        indexers: { uid: ({ metadata }) => [metadata.uid], namespace: ({ metadata }) => [metadata.namespace ?? ''] },
        onError: (error) => log.warn('a cache lost its source and watches it again', { cache: name, error }),
      });
      const current = (signal: AbortSignal) => engine(engineName).source<EngineObject>(kind).list({ signal });
      informers.set(name, { informer, current, running: informer.run(stopping.signal) });
      return informer;
    },
    async isCaughtUp(signal) {
      for (const { informer, current } of informers.values()) {
        if (!isInStep(informer, (await current(signal)).items)) return false;
      }
      return true;
    },
    async stop() {
      stopping.abort();
      await Promise.all([...informers.values()].map(({ running }) => running));
    },
  };
}
