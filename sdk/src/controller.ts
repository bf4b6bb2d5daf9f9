import type { Context } from './context.js';
import type { KubernetesObject } from './kubernetes.js';
import type { AnyKind, Key, ObjectOf, StatusOf } from './kinds.js';
import type { Immutable } from './values.js';

/** One statement about an object; the kernel adds transition time and observed generation. */
export interface Condition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  /** One word in CamelCase, for programs. */
  readonly reason: string;
  /** For people: what is, and the next step. */
  readonly message: string;
}

/** Nothing: rest until something changes. `againAfterMs`: then, or earlier on a change. Throw to back off. */
export type Outcome = undefined | void | { readonly againAfterMs: number };

/** What a reconcile is given besides the object. */
export interface ReconcileContext<K extends AnyKind> extends Context {
  /** Applies status; sets `observedGeneration`, keeps transition times, skips no-ops. `Ready` is obligatory in `conditions`. */
  setStatus(status: Partial<StatusOf<K>>, conditions: readonly Condition[]): Promise<void>;
  /** Writes an Event about the object; the same one again raises its count. */
  event(event: { type: 'Normal' | 'Warning'; reason: string; message: string }): void;
  /** Progress of the object's current Operation. */
  progress(step: string, percent: number): void;
}

/** An object whose changes wake the controller: for which keys of the controller's kind. */
export interface Watches<W extends AnyKind = AnyKind> {
  readonly kind: W;
  /** Pure and cheap: names the objects to reconcile when `object` changed. `owner` means: its controlling owner reference. */
  readonly wakes: 'owner' | ((object: Immutable<ObjectOf<W>>) => readonly Key[]);
}

interface ControllerBase<K extends AnyKind> {
  readonly kind: K;
  /** Engine on which kind and watches live; default: the platform's. */
  readonly engine?: string;
  /** Keys reconciled at once. Default 4. */
  readonly parallelMax?: number;
  /** Reconciles every object again after this time; default: never. */
  readonly resyncMs?: number;
  readonly watches?: readonly Watches[];
  /** Giving it adds a finalizer named after the instance; runs until it answers nothing. */
  finalize?(object: Immutable<ObjectOf<K>>, context: ReconcileContext<K>): Promise<Outcome>;
}

/**
 * Brings a kind's objects to what their spec says. Runs on the replica that owns the key's shard, fenced, one run a key at a time,
 * level-triggered (it is not told why it runs). 60 s a run.
 *
 * With `render` it is the one owner of the kind's base objects: the function is pure, and the kernel runs the reconcile hooks, stores
 * the Release, applies, prunes, observes and writes status.
 */
export type Controller<K extends AnyKind> = ControllerBase<K> &
  (
    | { reconcile?: never; render(object: Immutable<ObjectOf<K>>, facts: RenderFacts): readonly KubernetesObject[] }
    | { render?: never; reconcile(object: Immutable<ObjectOf<K>>, context: ReconcileContext<K>): Promise<Outcome> }
  );

/** What a render may know besides the object: decided and recorded before, so that rendering stays pure. */
export interface RenderFacts {
  /** The cluster chosen for the object and where its namespace lives there. */
  readonly cluster: {
    readonly name: string;
    readonly namespace: string;
    readonly capabilities: readonly string[];
    readonly schedulerName?: string;
  };
  /** Where routes without a host of their own are served; `port` is that of the listener. */
  readonly ingress: { readonly scheme: 'http' | 'https'; readonly hostSuffix: string; readonly port: number };
  /** Values that other objects settled, such as the image digest of a finished build, by name. */
  readonly inputs: Readonly<Record<string, string>>;
}
