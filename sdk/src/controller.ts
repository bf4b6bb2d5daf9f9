import type { Context } from './context.js';
import type { KubernetesObject } from './kubernetes.js';
import type { AnyKind, Key, ObjectOf, StatusOf } from './kinds.js';
import type { ClusterProfile } from './families/cluster.js';
import type { Capability } from './hooks/reconcile.js';
import type { Immutable, Strings } from './values.js';

/** One statement about an object; the kernel adds transition time and observed generation. */
export interface Condition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  /** One word in CamelCase, for programs. */
  readonly reason: string;
  /** For people: what is, and the next step. */
  readonly message: string;
}

/**
 * Nothing: rest until something changes. `againAfterMs`: run again after that time, or earlier on a change. Throw to back off.
 *
 * Less than 10 ms means "at once". The second answer of "at once" in a row is followed by a run after 1 ms, the next ones after 2, 4, 8 … at
 * most 1,000 ms: whoever waits for something that is not announced says after how long it is worth a look.
 */
export type Outcome = undefined | void | { readonly againAfterMs: number };

/** What a controller states of a status: a field that is `undefined` is taken away, one that is not named stays as it is. */
export type Stated<S> = { readonly [F in keyof S]?: S[F] | undefined };

/** What a reconcile is given besides the object. */
export interface ReconcileContext<K extends AnyKind> extends Context {
  /** Applies status; sets `observedGeneration`, keeps transition times, skips no-ops. `Ready` is obligatory in `conditions`. */
  setStatus(status: Stated<StatusOf<K>>, conditions: readonly Condition[]): Promise<void>;
  /**
   * Writes an Event about the object, behind the caller's back; the same one again raises its count, and is written three times at once and
   * then every five minutes. Of an object 50 are written at once, then one a minute. Tell changes, not states: a run may come again.
   */
  event(event: { type: 'Normal' | 'Warning'; reason: string; message: string }): void;
  /** Progress of the object's current Operation, a step at a time: at 100 the step has ended. Of an operation that has ended nothing is noted. */
  progress(step: string, percent: number): void;
  /** Whether a person stopped the object's current Operation; it ends as Cancelled when the run returns. Kinds that render: the kernel sees to it. */
  readonly isCancelled: boolean;
}

/** An object whose changes wake the controller: for which keys of the controller's kind. */
export interface Watches<W extends AnyKind = AnyKind> {
  readonly kind: W;
  /**
   * Which objects to reconcile when one of these changed: its controlling owner, all of its namespace, or what a pure and cheap function
   * names.
   */
  readonly wakes: 'owner' | 'namespace' | ((object: Immutable<ObjectOf<W>>) => readonly Key[]);
}

interface ControllerBase<K extends AnyKind> {
  readonly kind: K;
  /** Engine on which kind and watches live; default: the platform's. */
  readonly engine?: string;
  /** Keys reconciled at once. Default 4. */
  readonly parallelMax?: number;
  /** How long a reconcile or finalize may take, milliseconds; more than half an hour counts as half an hour. Default 60,000. */
  readonly runMsMax?: number;
  /** Reconciles every object again after this time; default: never. */
  readonly resyncMs?: number;
  readonly watches?: readonly Watches[];
  /**
   * Makes creating an object, and changing its spec, an Operation with this verb: written in the same transaction, named by the answer's
   * `Location` and by the object's `status.operation`, a field that the kind must have. Platform's engine, namespaced kinds only.
   */
  readonly operation?: StatusOf<K> extends { readonly operation?: string } ? { readonly verb: string } : never;
  /** Giving it adds a finalizer named after the instance; runs until it answers nothing. */
  finalize?(object: Immutable<ObjectOf<K>>, context: ReconcileContext<K>): Promise<Outcome>;
}

/**
 * Brings a kind's objects to what their spec says. Runs on the replica that owns the key's shard, fenced, one run a key at a time,
 * level-triggered (it is not told why it runs). 60 s a run, or `runMsMax`.
 *
 * With `reconcile` the plugin does everything itself. With `render` it is the one owner of the kind's base objects, see {@link Rendering}.
 */
export type Controller<K extends AnyKind> = ControllerBase<K> &
  (
    | ({ reconcile?: never } & Rendering<K>)
    | { render?: never; reconcile(object: Immutable<ObjectOf<K>>, context: ReconcileContext<K>): Promise<Outcome> }
  );

/**
 * A controller whose objects live on a cluster. The kernel chooses the cluster, asks `prepare`, runs `render` and the reconcile.render
 * taps, stores the Release, applies and prunes, asks the reconcile.observe taps and `summarize`, and writes status and Operation.
 */
export interface Rendering<K extends AnyKind> {
  /** Settles what `render` may not ask for itself, such as the image of a build. May create objects. Absent: ready with nothing. */
  prepare?(object: Immutable<ObjectOf<K>>, context: ReconcileContext<K>): Promise<Prepared>;
  /**
   * Stops what `prepare` has begun, such as a build: a person has stopped the object's Operation. May be called again. Absent: nothing
   * is left to stop.
   */
  abandon?(object: Immutable<ObjectOf<K>>, context: ReconcileContext<K>): Promise<void>;
  /** Pure: the same object and facts give the same objects. */
  render(object: Immutable<ObjectOf<K>>, facts: RenderFacts): readonly KubernetesObject[];
  /**
   * Pure: the status of the object from what its cluster shows; `Ready` is obligatory among the conditions. `failed`: the release will not
   * come to serve, which ends the Operation; with `rollback` the release that served before takes its place until another one is rendered.
   *
   * When the reason of `Ready` changes, the kernel tells an Event: a Warning while it is not True, unless `Progressing` is True for the same
   * reason, which means that all is as planned. So each thing that can be in the way has a reason of its own.
   */
  summarize(observation: Observation<K>): {
    readonly status: Stated<StatusOf<K>>;
    readonly conditions: readonly Condition[];
    readonly failed?: 'stop' | 'rollback';
  };
}

/** Inputs for the render, or the conditions that say what it waits for; `failed` ends the Operation until the spec changes. */
export type Prepared =
  | { readonly ready: true; readonly inputs: Strings }
  | { readonly ready: false; readonly conditions: readonly Condition[]; readonly failed?: boolean };

/** What a render may know besides the object: decided and recorded before, so that rendering stays pure. */
export interface RenderFacts {
  /** The cluster chosen for the object and where its namespace lives there. */
  readonly cluster: {
    readonly name: string;
    readonly namespace: string;
    readonly capabilities: readonly Capability[];
    /** Parts of the Kubernetes API that it promises to serve. */
    readonly profiles: readonly ClusterProfile[];
    /** Scheduler to name in pods; absent: the cluster's own. */
    readonly schedulerName?: string;
  };
  /** Where routes without a host of their own are served; `port` is that of the listener. */
  readonly ingress: { readonly scheme: 'http' | 'https'; readonly hostSuffix: string; readonly port: number };
  /** What `prepare` answered. */
  readonly inputs: Strings;
}

/** The object, the release that serves and its cluster objects as they are. */
export interface Observation<K extends AnyKind> {
  readonly object: Immutable<ObjectOf<K>>;
  readonly facts: RenderFacts;
  /** Absent until something was rendered. */
  readonly release?: { readonly name: string; readonly number: number };
  /** Every object of the inventory that exists, the ReplicaSets that they own, of which only identity and revision are told, and all their pods. */
  readonly observed: readonly Immutable<KubernetesObject>[];
}
