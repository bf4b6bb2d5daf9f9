import type { Immutable, KubernetesObject, RenderFacts } from '@tappaas/sdk';
import { digestOf } from './canonical.js';
import { refKey, refOf } from './object-ref.js';
import type { AttributedRenderSet } from './render-set.js';

type Objects = readonly Immutable<KubernetesObject>[];

/** What was rendered, named by its content. */
export interface ReleaseContent {
  /** Equal for equal objects on one cluster: storing it twice is storing it once. */
  readonly digest: string;
  readonly cluster: string;
  readonly objects: Objects;
  /** Instance ids of the plugins that had a part in it. */
  readonly plugins: readonly string[];
}

/** A release as it is stored: immutable but for what is told of it. */
export interface StoredRelease {
  readonly name: string;
  readonly number: number;
  readonly objects: Objects;
  /** What was last told of it. */
  readonly phase?: string;
}

/** What a person pinned an object to; there may be no such release. */
export interface Pin {
  readonly name: string;
  readonly release: StoredRelease | undefined;
}

/** A release that serves, and the inputs that it was rendered from. */
export interface Serving {
  readonly release: StoredRelease;
  readonly inputs: Readonly<Record<string, string>>;
}

/** The releases of objects, in the platform's store. `Write` is how a write tells its revision. */
export interface ReleaseBook<O, Write> {
  /** The release that the object's last render gave, and what it was rendered from. */
  newest(object: O): Promise<{ readonly release: StoredRelease; readonly renderKey: string } | undefined>;
  /** Gives the release of that content, made now if there is none, and notes it as the newest for `renderKey`. */
  store(object: O, content: ReleaseContent, renderKey: string, write: Write): Promise<StoredRelease>;
  /** The release that serves whatever is rendered, when a person pinned one. */
  pinned?(object: O): Promise<Pin | undefined>;
  /** The release that was last seen to serve. */
  serving?(object: O): Promise<Serving | undefined>;
  noteServing?(object: O, serving: Serving): Promise<void>;
  /** Why a release failed: it is not tried again until another one is rendered. */
  failureOf?(object: O, release: StoredRelease): Promise<string | undefined>;
  noteFailure?(object: O, release: StoredRelease, message: string): Promise<void>;
  /** Tells that the rollout of a release has failed, also where nothing takes its place; told before costs nothing. */
  noteRefused?(object: O, release: StoredRelease): Promise<void>;
}

export function contentOf(set: AttributedRenderSet, cluster: string): ReleaseContent {
  const objects = [...set];
  return { digest: contentDigest(cluster, objects), cluster, objects, plugins: set.contributors };
}

/** What a release of these objects on this cluster is named by, whatever their order. */
export function contentDigest(cluster: string, objects: Objects): string {
  const ordered = objects.toSorted((one, other) => (refKey(refOf(one)) < refKey(refOf(other)) ? -1 : 1));
  return digestOf({ cluster, objects: ordered });
}

/**
 * What a rendering depends on: spec, settled inputs, place, where routes are served there and an explicit campaign. Deliberately neither
 * the plugins' versions nor a cluster's capabilities: an upgraded, broken or removed plugin must not roll out anything by itself.
 */
export function renderKeyOf(object: { readonly spec?: unknown }, { cluster, ingress, inputs }: RenderFacts, campaign: string): string {
  return digestOf({ spec: object.spec, inputs, cluster: cluster.name, namespace: cluster.namespace, ingress, campaign });
}
