import { setTimeout as wait } from 'node:timers/promises';
import type { AnyKind, Controller, Key, Outcome, Pod, ReconcileContext } from '@tappaas/sdk';
import { Nodes, Pods } from '../../dist/kinds/handles.js';
import { registerControllers } from '../../dist/controllers/registry.js';
import type { FakeStore, StoreEvent } from './fake-store.ts';

type Any = Controller<AnyKind> & { reconcile(object: unknown, context: unknown): Promise<Outcome> };

/**
 * Runs the plugin's controllers on a fake store, woken by changes, one run per key at a time; and a scheduler that chooses the first node.
 */
export class FakeControllers {
  readonly #store: FakeStore;
  readonly #stop = new AbortController();
  readonly #running = new Map<string, boolean>();
  readonly #controllers: Any[] = [];
  readonly errors: unknown[] = [];

  constructor(store: FakeStore) {
    this.#store = store;
    registerControllers({ controller: (controller: unknown) => void this.#controllers.push(controller as Any) }, 'local');
    const unlisten = store.listen((event) => this.#onEvent(event));
    this.#stop.signal.addEventListener('abort', unlisten);
    for (const controller of this.#controllers) for (const object of store.all(controller.kind)) this.#wake(controller, keyOf(object));
    for (const pod of store.all<Pod>(Pods)) this.#bind(pod);
  }

  stop(): void {
    this.#stop.abort();
  }

  #onEvent(event: StoreEvent): void {
    queueMicrotask(() => {
      for (const controller of this.#controllers) {
        if (this.#store.served(controller.kind).plural === event.plural) this.#wake(controller, keyOf(event.object));
        for (const watched of controller.watches ?? []) {
          if (this.#store.served(watched.kind).plural !== event.plural) continue;
          if (typeof watched.wakes === 'function') for (const key of watched.wakes(event.object)) this.#wake(controller, key);
          else {
            const owner = event.object.metadata.ownerReferences?.find((reference) => reference.controller);
            if (owner?.kind === controller.kind.kind)
              this.#wake(controller, { namespace: event.object.metadata.namespace ?? '', name: owner.name });
          }
        }
      }
      if (event.plural === 'pods' && event.type !== 'DELETED') this.#bind(event.object);
      if (event.plural === 'nodes') for (const pod of this.#store.all<Pod>(Pods)) this.#bind(pod);
    });
  }

  #bind(pod: {
    readonly metadata: { readonly namespace?: string; readonly name?: string };
    readonly spec?: { readonly nodeName?: string };
  }): void {
    const [node] = this.#store.all(Nodes);
    const key = keyOf(pod);
    const present = this.#store.get<Pod>(Pods, key);
    if (!node || !present || present.spec?.nodeName || present.metadata.deletionTimestamp) return;
    this.#store.patch(Pods, key, { spec: { nodeName: node.metadata.name } });
  }

  #wake(controller: Any, key: Key): void {
    const id = `${controller.kind.kind}/${key.namespace ?? ''}/${key.name}`;
    if (this.#running.has(id)) return void this.#running.set(id, true);
    this.#running.set(id, false);
    void this.#run(controller, key, id);
  }

  async #run(controller: Any, key: Key, id: string): Promise<void> {
    let outcome: Outcome;
    do {
      this.#running.set(id, false);
      const object = this.#store.get(controller.kind, key);
      if (!object || this.#stop.signal.aborted) break;
      try {
        outcome = object.metadata.deletionTimestamp ? undefined : await controller.reconcile(object, this.#context());
      } catch (error) {
        this.errors.push(error);
        outcome = { againAfterMs: 20 };
      }
    } while (this.#running.get(id));
    this.#running.delete(id);
    if (outcome) {
      const { againAfterMs } = outcome;
      void wait(Math.min(againAfterMs, 2 ** 31 - 1), undefined, { signal: this.#stop.signal, ref: false }).then(
        () => this.#wake(controller, key),
        () => undefined,
      );
    }
  }

  #context(): ReconcileContext<AnyKind> {
    const { signal } = this.#stop;
    return {
      plugin: 'local',
      log: { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined },
      clock: { nowMs: Date.now, sleep: (ms: number, abort?: AbortSignal) => wait(ms, undefined, { signal: abort }) },
      asPlugin: this.#store.resources(),
      signal,
      remainingMs: () => 60_000,
    } as unknown as ReconcileContext<AnyKind>;
  }
}

const keyOf = ({ metadata }: { readonly metadata: { readonly namespace?: string; readonly name?: string } }): Key => ({
  namespace: metadata.namespace ?? '',
  name: metadata.name ?? '',
});
