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
  /** For people: the present state, and the next step. */
  readonly message: string;
}

/**
 * The result of a reconcile. Undefined: wait until something changes. `againAfterMs`: run again after that time, or earlier on a change.
 * Throw to back off.
 *
 * Less than 10 ms means "at once". The second "at once" in a row is followed by a run after 1 ms, the next ones after 2, 4, 8 … at most
 * 1,000 ms. To wait for something that causes no change event, return the time after which it is worth checking again.
 * The metric `tappaas_reconciles_total` counts the runs of each controller by result; a run that asked for "at once" counts as `at-once`.
 */
export type Outcome = undefined | void | { readonly againAfterMs: number };

/** The status fields that a controller sets: a field with the value `undefined` is removed, a missing one stays unchanged. */
export type Stated<S> = { readonly [F in keyof S]?: S[F] | undefined };

/** The context of a reconcile. */
export interface ReconcileContext<K extends AnyKind> extends Context {
  /** Applies the status: sets `observedGeneration`, keeps transition times, skips no-ops. `conditions` must include `Ready`. */
  setStatus(status: Stated<StatusOf<K>>, conditions: readonly Condition[]): Promise<void>;
  /**
   * Writes an Event about the object, in the background. A repeated Event raises the count of the first; the count is written immediately
   * three times and then every five minutes. Per object 50 Events are written immediately, then one a minute. Report changes, not states,
   * since a reconcile may be repeated.
   */
  event(event: { type: 'Normal' | 'Warning'; reason: string; message: string }): void;
  /** Reports progress of the object's current Operation, step by step: at 100 the step has ended. Ignored once the operation has ended. */
  progress(step: string, percent: number): void;
  /**
   * Whether a user cancelled the current Operation; it ends as Cancelled when the run returns. For kinds that render, the kernel does it.
   */
  readonly isCancelled: boolean;
}

/** A kind whose changes wake the controller, and the keys of the controller's kind to reconcile then. */
export interface Watches<W extends AnyKind = AnyKind> {
  readonly kind: W;
  /**
   * The objects to reconcile when an object of this kind changed: its controlling owner, all objects in its namespace, or those that a
   * pure and cheap function returns.
   */
  readonly wakes: 'owner' | 'namespace' | ((object: Immutable<ObjectOf<W>>) => readonly Key[]);
}

interface ControllerBase<K extends AnyKind> {
  readonly kind: K;
  /** Engine of the kind and the watched kinds; default: the platform's. */
  readonly engine?: string;
  /** Number of keys reconciled at once. Default 4. */
  readonly parallelMax?: number;
  /** Time limit of a reconcile or finalize, milliseconds; more than half an hour counts as half an hour. Default 60,000. */
  readonly runMsMax?: number;
  /** Reconciles every object again after this time; default: never. */
  readonly resyncMs?: number;
  readonly watches?: readonly Watches[];
  /**
   * Creates an Operation with this verb whenever an object is created or its spec changes. It is written in the same transaction and named
   * in the response header `Location` and in the object's `status.operation`, a field that the kind must have. Only for namespaced kinds of
   * the platform's engine.
   */
  readonly operation?: StatusOf<K> extends { readonly operation?: string } ? { readonly verb: string } : never;
  /** Cleans up before an object is deleted. It adds a finalizer named after the instance, and is called until it returns undefined. */
  finalize?(object: Immutable<ObjectOf<K>>, context: ReconcileContext<K>): Promise<Outcome>;
}

/**
 * Brings the actual state to what the spec of a kind's objects says. Runs on the replica that owns the key's shard, fenced, one run per key
 * at a time, level-triggered (it does not learn why it runs). 60 s per run, or `runMsMax`.
 *
 * With `reconcile` the plugin does everything itself. With `render` it is the only owner of the kind's base objects, see {@link Rendering}.
 */
export type Controller<K extends AnyKind> = ControllerBase<K> &
  (
    | ({ reconcile?: never } & Rendering<K>)
    | { render?: never; reconcile(object: Immutable<ObjectOf<K>>, context: ReconcileContext<K>): Promise<Outcome> }
  );

/**
 * A controller whose objects live on a cluster. The kernel chooses the cluster, calls `prepare`, runs `render` and the reconcile.render
 * taps, stores the Release, applies and prunes, calls the reconcile.observe taps and `summarize`, and writes status and Operation.
 */
export interface Rendering<K extends AnyKind> {
  /**
   * Determines inputs that `render` cannot fetch itself, such as the image of a build. May create objects. Absent: ready without inputs.
   */
  prepare?(object: Immutable<ObjectOf<K>>, context: ReconcileContext<K>): Promise<Prepared>;
  /**
   * Stops work that `prepare` has started, such as a build, when a user has cancelled the object's Operation. May be called repeatedly.
   * Absent: there is nothing to stop.
   */
  abandon?(object: Immutable<ObjectOf<K>>, context: ReconcileContext<K>): Promise<void>;
  /** Pure: the same object and facts give the same objects. */
  render(object: Immutable<ObjectOf<K>>, facts: RenderFacts): readonly KubernetesObject[];
  /**
   * Pure: derives the status of the object from its cluster objects; the conditions must include `Ready`. `failed`: the release will never
   * serve, which ends the Operation; with `rollback`, the release that served before replaces it until another one is rendered.
   *
   * When the reason of `Ready` changes, the kernel writes an Event: a Warning while it is not True, unless `Progressing` is True for the
   * same reason, which means that all is going as planned. So use a separate reason for each possible obstacle.
   */
  summarize(observation: Observation<K>): {
    readonly status: Stated<StatusOf<K>>;
    readonly conditions: readonly Condition[];
    readonly failed?: 'stop' | 'rollback';
  };
}

/** Inputs for `render`, or the conditions that say what it waits for; `failed` ends the Operation until the spec changes. */
export type Prepared =
  | { readonly ready: true; readonly inputs: Strings }
  | { readonly ready: false; readonly conditions: readonly Condition[]; readonly failed?: boolean };

/** What `render` may use besides the object: decided and recorded before, so that rendering stays pure. */
export interface RenderFacts {
  /** The cluster chosen for the object and where its namespace lives there. */
  readonly cluster: {
    readonly name: string;
    readonly namespace: string;
    readonly capabilities: readonly Capability[];
    /** Parts of the Kubernetes API that the cluster promises to serve. */
    readonly profiles: readonly ClusterProfile[];
    /** Scheduler name for pods; absent: the cluster's own scheduler. */
    readonly schedulerName?: string;
  };
  /** Where routes without a host of their own are served; `port` is that of the listener. */
  readonly ingress: { readonly scheme: 'http' | 'https'; readonly hostSuffix: string; readonly port: number };
  /** The inputs that `prepare` returned. */
  readonly inputs: Strings;
}

/** The object, the release that serves, and the present state of its cluster objects. */
export interface Observation<K extends AnyKind> {
  readonly object: Immutable<ObjectOf<K>>;
  readonly facts: RenderFacts;
  /** Absent until something was rendered. */
  readonly release?: { readonly name: string; readonly number: number };
  /** Every existing object of the inventory, the ReplicaSets they own (only with identity and revision), and all their pods. */
  readonly observed: readonly Immutable<KubernetesObject>[];
}
