import type { AnyKind, Clock, Logger } from '@tappaas/sdk';
import type { ResourceEngine } from '../resources/engine.js';
import { createInformer, type Informer } from '../reconcile/informer.js';
import type { EngineObject } from './engine-object.js';
import { createBackoff } from '../queue/backoff.js';
import { sourceBackoff } from './back-off.js';

/** One cache per engine and kind, shared by everything that reads it. */
export interface SharedInformers {
  /** Begins to follow the kind when it is first asked for. */
  of(engine: string, kind: AnyKind): Informer<EngineObject>;
  stop(): Promise<void>;
}

export interface SharedInformersOptions {
  readonly engine: (name: string) => ResourceEngine;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
}

export function createSharedInformers({ engine, clock, random, log }: SharedInformersOptions): SharedInformers {
  const stopping = new AbortController();
  const informers = new Map<string, { informer: Informer<EngineObject>; running: Promise<void> }>();
  return {
    of(engineName, kind) {
      const name = `${engineName}/${kind.group}/${kind.kind}`;
      const known = informers.get(name);
      if (known) return known.informer;
      const informer = createInformer<EngineObject>({
        name,
        source: engine(engineName).source(kind),
        clock,
        random,
        backoff: createBackoff(sourceBackoff, random),
        indexers: { uid: ({ metadata }) => [metadata.uid] },
        onError: (error) => log.warn('a cache lost its source and follows it anew', { cache: name, error }),
      });
      informers.set(name, { informer, running: informer.run(stopping.signal) });
      return informer;
    },
    async stop() {
      stopping.abort();
      await Promise.all([...informers.values()].map(({ running }) => running));
    },
  };
}
