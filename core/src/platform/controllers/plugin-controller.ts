import { isTapError, platformEngine } from '@tappaas/sdk';
import type { AnyKind, Clock, Controller as ControllerDeclaration, Immutable, Logger, Outcome, Resources, Watches } from '@tappaas/sdk';
import type { Registered } from '../../kernel/kernel.js';
import type { WorkQueueOptions } from '../../queue/work-queue-options.js';
import { createWorkQueue, type WorkQueue } from '../../queue/work-queue.js';
import { createController, type Run, type RunReport } from '../../reconcile/controller.js';
import type { Informer } from '../../reconcile/informer.js';
import { keyOf } from '../../reconcile/source.js';
import { keyBackoff } from '../back-off.js';
import { reportingWrites } from './own-writes.js';
import { reconcileContext, type ContextParts } from './reconcile-context.js';
import type { EngineObject } from '../engine-object.js';
import type { SharedInformers } from './shared-informers.js';

/** The part of a queue that a controller uses. */
export type ControllerQueue = Pick<WorkQueue<string>, 'get' | 'add' | 'addAfter' | 'retry' | 'forget' | 'done' | 'close'>;

/** Dependencies of a plugin's controller. */
export interface PluginControllerParts {
  readonly registered: Registered<ControllerDeclaration<AnyKind>>;
  readonly informers: SharedInformers;
  readonly resourcesOf: (plugin: string, engine: string) => Resources;
  readonly contextParts: Pick<ContextParts, 'emit' | 'tracker'>;
  /** Returns the tenant that owns a key, for fairness. */
  readonly tenantOf: (key: string) => string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  /** Replaces the plugin's own reconcile, for controllers that render. */
  readonly reconcileKey?: (key: string, run: Run) => Promise<Outcome>;
  /** Subscribes to further keys to wake, besides those of `watches`; returns the function that unsubscribes. */
  readonly wakes?: (wake: (key: string) => void) => () => void;
  /** Default: a queue that hands out keys as soon as they are ready. */
  readonly createQueue?: (controller: string, options: WorkQueueOptions<string>) => ControllerQueue;
  /** Called with the result of every run. */
  readonly onReport?: (controller: string, report: RunReport) => void;
}

/** A running controller. */
export interface RunningController {
  readonly name: string;
  stop(): Promise<void>;
}

const defaultRunMsMax = 60_000;
const longestRunMsMax = 1_800_000;

const runMsMaxOf = ({ runMsMax = defaultRunMsMax }: { readonly runMsMax?: number }): number => Math.min(runMsMax, longestRunMsMax);

/** Time limit of a `wakes` function: it is called for every change that a cache sees. */
const wakesMsMax = 20;
const defaultParallelMax = 4;

/** Starts a controller: fills a queue from the caches of what it watches, and reconciles its keys. */
export function startPluginController(parts: PluginControllerParts): RunningController {
  const { registered, informers, clock, random, log } = parts;
  const { kind, engine = platformEngine, parallelMax = defaultParallelMax, watches = [], resyncMs } = registered.value;
  const name = `${registered.plugin}/${kind.kind}`;
  const stopping = new AbortController();
  const informer = informers.of(engine, kind);
  const { createQueue = (_, options) => createWorkQueue<string>(options) } = parts;
  const queue = createQueue(name, { clock, random, backoff: keyBackoff, tenantOf: parts.tenantOf, onRoom: () => informer.resync() });
  const others = watches.map((watched) =>
    feedFrom(guardedWakes(registered, watched), informers.of(engine, watched.kind), informer, queue, kind),
  );
  const leave = [feed(informer, queue), ...others, parts.wakes?.((key) => void queue.add(key, 'under-way')) ?? (() => undefined)];
  const work = parts.reconcileKey ?? ((key: string, run: Run) => reconcileKey({ ...parts, informer, engine, resyncMs }, key, run));
  const { tracker } = parts.contextParts;
  const controller = createController({
    name,
    queue,
    workersMax: parallelMax,
    deadlineMs: runMsMaxOf(registered.value),
    clock,
    waitFor: (revision, signal) => informer.waitFor(revision, signal),
    reconcile: async (key, run) => {
      const uid = informer.get(key)?.metadata.uid;
      try {
        return await work(key, run);
      } finally {
        if (uid !== undefined) await tracker?.settled(uid);
      }
    },
    onReport: (report) => {
      parts.onReport?.(name, report);
      if (!('error' in report)) return;
      const { key, result, error } = report;
      // The object changed or was deleted during the run; that change re-queues the key.
      const isOvertaken = isTapError(error, 'TAP_OBJECT_NOT_FOUND') || isTapError(error, 'TAP_OBJECT_CONFLICT');
      log[isOvertaken ? 'debug' : 'warn']('reconcile failed', { controller: name, key, result, error });
    },
  });
  const running = informer.synced(stopping.signal).then(
    () => controller.run(stopping.signal),
    () => undefined,
  );
  return {
    name,
    async stop() {
      for (const each of leave) each();
      stopping.abort();
      await queue.close({ drain: false });
      await running;
    },
  };
}

function feed(informer: Informer<EngineObject>, queue: ControllerQueue): () => void {
  return informer.addHandler({
    add: (object, { isInInitialList }) => void queue.add(keyOf(object), isInInitialList ? 'low' : 'normal'),
    update: (object) => void queue.add(keyOf(object)),
    delete: (object) => void queue.add(keyOf(object)),
  });
}

function feedFrom(
  watched: Watches,
  informer: Informer<EngineObject>,
  own: Informer<EngineObject>,
  queue: ControllerQueue,
  kind: AnyKind,
): () => void {
  const wake = (object: Immutable<EngineObject>, isInInitialList: boolean) => {
    const keys =
      watched.wakes === 'namespace' ? own.keysByIndex('namespace', object.metadata.namespace ?? '') : wokenBy(watched, object, kind);
    const priority = isInInitialList ? 'low' : watched.wakes === 'owner' ? 'under-way' : 'normal';
    for (const key of keys) queue.add(key, priority);
  };
  return informer.addHandler({
    add: (object, { isInInitialList }) => wake(object, isInInitialList),
    update: (object, previous) => {
      wake(object, false);
      wake(previous, false);
    },
    delete: (object) => wake(object, false),
  });
}

/** Wraps the plugin's own function, which the cache calls, so that failures and slowness are attributed to the plugin. */
function guardedWakes({ guard }: PluginControllerParts['registered'], watched: Watches): Watches {
  const { wakes } = watched;
  if (typeof wakes !== 'function') return watched;
  return { ...watched, wakes: (object) => guard.callSync({ name: 'controller.wakes', limitMs: wakesMsMax }, () => wakes(object)) };
}

/** Returns the keys of the controller's kind that a change of a watched object concerns. */
export function wokenBy({ wakes }: Watches, object: Immutable<EngineObject>, kind: AnyKind): readonly string[] {
  if (typeof wakes === 'function')
    return wakes(object).map(({ namespace, name }) => keyOf({ metadata: { name, ...(namespace ? { namespace } : {}) } }));
  const owner = object.metadata.ownerReferences?.find((reference) => reference.controller === true);
  const isOurs = owner?.kind === kind.kind && (owner.apiVersion.split('/').at(-2) ?? '') === kind.group;
  return owner && isOurs
    ? [keyOf({ metadata: { name: owner.name, ...(object.metadata.namespace ? { namespace: object.metadata.namespace } : {}) } })]
    : [];
}

interface KeyParts extends PluginControllerParts {
  readonly informer: Informer<EngineObject>;
  readonly engine: string;
  readonly resyncMs: number | undefined;
}

/** Runs one key: reads the object again, maintains the finalizer, then reconciles or finalizes within the plugin's guard. */
async function reconcileKey(parts: KeyParts, key: string, { signal, wrote }: Run): Promise<Outcome> {
  const { registered, informer } = parts;
  const object = informer.get(key);
  if (object === undefined) return undefined;
  const declaration = registered.value;
  const resources = reportingWrites(parts.resourcesOf(registered.plugin, parts.engine), declaration.kind, wrote);
  const finalizer = declaration.finalize ? `tappaas.dev/${registered.plugin}` : undefined;
  const holds = finalizer !== undefined && (object.metadata.finalizers ?? []).includes(finalizer);
  const contextFor = (context: Parameters<typeof reconcileContext>[0]) =>
    reconcileContext(context, { ...parts.contextParts, object, kind: declaration.kind, resources });
  if (object.metadata.deletionTimestamp !== undefined) {
    if (!holds || finalizer === undefined) return undefined;
    const outcome = await registered.guard.call(
      { name: 'controller.finalize', limitMs: runMsMaxOf(declaration) },
      async (context) => declaration.finalize?.(object, contextFor(context)),
      { signal },
    );
    if (outcome !== undefined) return outcome;
    await setFinalizers(
      resources,
      declaration.kind,
      object,
      (object.metadata.finalizers ?? []).filter((each) => each !== finalizer),
    );
    return undefined;
  }
  if (finalizer !== undefined && !holds) {
    await setFinalizers(resources, declaration.kind, object, [...(object.metadata.finalizers ?? []), finalizer]);
  }
  const outcome = await registered.guard
    .call(
      { name: 'controller.reconcile', limitMs: runMsMaxOf(declaration) },
      async (context) => (declaration.render === undefined ? declaration.reconcile(object, contextFor(context)) : undefined),
      { signal },
    )
    .catch(async (error: unknown) => {
      // A retry cannot help, so the operation has failed.
      if (isTapError(error) && error.spec.retry === 'never') {
        await parts.contextParts.tracker?.tell(object, { end: { phase: 'Failed', message: error.message } });
      }
      throw error;
    });
  const { tracker } = parts.contextParts;
  if (tracker?.isCancelled(object)) await tracker.tell(object, { end: { phase: 'Cancelled', message: 'it was cancelled' } });
  return outcome ?? (parts.resyncMs === undefined ? undefined : { againAfterMs: parts.resyncMs });
}

async function setFinalizers(
  resources: Resources,
  kind: AnyKind,
  { metadata }: Immutable<EngineObject>,
  finalizers: readonly string[],
): Promise<void> {
  const key = { name: metadata.name, ...(metadata.namespace ? { namespace: metadata.namespace } : {}) };
  await resources.patch(kind, key, { metadata: { finalizers, resourceVersion: metadata.resourceVersion } });
}
