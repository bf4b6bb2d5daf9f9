import type { Immutable, KubernetesObject, RenderFacts } from '@tappaas/sdk';
import { digestOf } from './canonical.js';
import { refKey, refOf } from './object-ref.js';
import type { AttributedRenderSet } from './render-set.js';

type Objects = readonly Immutable<KubernetesObject>[];

/** Rendered objects, identified by their content. */
export interface ReleaseContent {
  /** Equal for equal objects on the same cluster, so that storing them twice stores them once. */
  readonly digest: string;
  readonly cluster: string;
  readonly objects: Objects;
  /** Instance ids of the plugins that contributed to it. */
  readonly plugins: readonly string[];
}

/** A stored release; immutable except for its reported state. */
export interface StoredRelease {
  readonly name: string;
  readonly number: number;
  readonly objects: Objects;
  /** The last reported phase. */
  readonly phase?: string;
}

/** The release that a user pinned an object to, which may not exist. */
export interface Pin {
  readonly name: string;
  readonly release: StoredRelease | undefined;
}

/** A release that serves, and the inputs from which it was rendered. */
export interface Serving {
  readonly release: StoredRelease;
  readonly inputs: Readonly<Record<string, string>>;
}

/** Stores the releases of objects in the platform's store. A write reports its revision through `Write`. */
export interface ReleaseBook<O, Write> {
  /** Returns the release of the object's last render, and the key of its inputs. */
  newest(object: O): Promise<{ readonly release: StoredRelease; readonly renderKey: string } | undefined>;
  /** Returns the release with that content, creating it if necessary, and records it as the newest for `renderKey`. */
  store(object: O, content: ReleaseContent, renderKey: string, write: Write): Promise<StoredRelease>;
  /** Returns the release that a user pinned; it serves regardless of what is rendered. */
  pinned?(object: O): Promise<Pin | undefined>;
  /** Returns the release that was last observed to serve. */
  serving?(object: O): Promise<Serving | undefined>;
  noteServing?(object: O, serving: Serving): Promise<void>;
  /** Returns why a release failed; it is not retried until a different one is rendered. */
  failureOf?(object: O, release: StoredRelease): Promise<string | undefined>;
  noteFailure?(object: O, release: StoredRelease, message: string): Promise<void>;
  /** Records that the rollout of a release failed, even if no other release replaces it. Idempotent and cheap. */
  noteRefused?(object: O, release: StoredRelease): Promise<void>;
}

export function contentOf(set: AttributedRenderSet, cluster: string): ReleaseContent {
  const objects = [...set];
  return { digest: contentDigest(cluster, objects), cluster, objects, plugins: set.contributors };
}

/** Returns the name of a release of these objects on this cluster, regardless of their order. */
export function contentDigest(cluster: string, objects: Objects): string {
  const ordered = objects.toSorted((one, other) => (refKey(refOf(one)) < refKey(refOf(other)) ? -1 : 1));
  return digestOf({ cluster, objects: ordered });
}

/**
 * Returns a key of a rendering's inputs: spec, resolved inputs, place, the ingress there, and an explicit campaign. Plugin versions and
 * cluster capabilities are deliberately absent: an upgraded, broken or removed plugin must not cause rollouts by itself.
 */
export function renderKeyOf(object: { readonly spec?: unknown }, { cluster, ingress, inputs }: RenderFacts, campaign: string): string {
  return digestOf({ spec: object.spec, inputs, cluster: cluster.name, namespace: cluster.namespace, ingress, campaign });
}
