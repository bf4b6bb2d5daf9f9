import type { Clock, ClusterProfile, Immutable, KubernetesObject, Logger } from '@tappaas/sdk';
import type { ApiResource } from '../../cluster/api-resource.js';
import type { ClusterClient } from '../../cluster/client.js';
import { clusterSource, type ClusterSource } from '../../cluster/source.js';
import { createBackoff } from '../../queue/backoff.js';
import { createInformer, type Informer } from '../../reconcile/informer.js';
import { keepPacked } from '../../reconcile/stored-form.js';
import { installationLabel, ownerLabel } from '../../reconcile/inventory.js';
import { refKey, type ObjectRef } from '../../reconcile/object-ref.js';
import { ManagedText, TextPatterns } from '../../resources/managed-text.js';
import { sourceBackoff } from '../back-off.js';
import { isInStep } from '../caught-up.js';

type Frozen = Immutable<KubernetesObject>;

/** Cached state of one cluster for rendering controllers, and the changes that wake them. */
export interface ClusterWatch {
  /** Returns the cached state of an object; undefined when its kind is not cached. */
  cached(ref: ObjectRef): { readonly live: Frozen | undefined } | undefined;
  /** Returns the ReplicaSets of the given objects, and the pods that belong to them, directly or through a ReplicaSet or Job. */
  below(objects: readonly Frozen[]): readonly Frozen[];
  /** Calls the listener with the owner (uid of the rendered object) of every changed object; returns the function that removes it. */
  onChange(listener: (owner: string) => void): () => void;
  synced(signal: AbortSignal): Promise<void>;
  /** Whether every cache contains exactly the current state of the cluster. */
  isCaughtUp(signal: AbortSignal): Promise<boolean>;
  stop(): Promise<void>;
}

export interface ClusterWatchOptions {
  readonly name: string;
  readonly client: ClusterClient;
  readonly profiles: readonly ClusterProfile[];
  readonly installation: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
}

const owned: readonly ApiResource[] = [
  { group: 'apps', version: 'v1', plural: 'deployments', kind: 'Deployment', namespaced: true },
  { group: '', version: 'v1', plural: 'services', kind: 'Service', namespaced: true },
  { group: 'networking.k8s.io', version: 'v1', plural: 'ingresses', kind: 'Ingress', namespaced: true },
];
/** Watched where the cluster supports the batch profile. */
const batch: readonly ApiResource[] = [
  { group: 'batch', version: 'v1', plural: 'jobs', kind: 'Job', namespaced: true },
  { group: 'batch', version: 'v1', plural: 'cronjobs', kind: 'CronJob', namespaced: true },
];
const replicaSetResource: ApiResource = { group: 'apps', version: 'v1', plural: 'replicasets', kind: 'ReplicaSet', namespaced: true };
const podResource: ApiResource = { group: '', version: 'v1', plural: 'pods', kind: 'Pod', namespaced: true };

const managerPrefix = 'tappaas-';

const ownersOf = ({ metadata }: Frozen) => (metadata.ownerReferences ?? []).map(({ uid }) => uid);
const byOwner = { owner: ownersOf };
const byUid = { uid: ({ metadata }: Frozen) => (metadata.uid === undefined ? [] : [metadata.uid]) };

/** Keeps the managers that an apply set compares with; those of others would only cost memory. */
function keepingOurManagers(object: KubernetesObject): KubernetesObject {
  const { managedFields, ...metadata } = object.metadata;
  const ours = (managedFields ?? []).filter(({ manager }) => manager?.startsWith(managerPrefix));
  return { ...object, metadata: { ...metadata, managedFields: ours } };
}

const revision = 'deployment.kubernetes.io/revision';

/** Reduces an object between a Deployment and its pods to its identity, owners and revision; nothing else of it is needed. */
function identityOnly({ apiVersion, kind, metadata }: KubernetesObject): KubernetesObject {
  const { name, namespace, uid, resourceVersion, ownerReferences } = metadata;
  const number = metadata.annotations?.[revision];
  const annotations = number === undefined ? undefined : { [revision]: number };
  const kept = { name, namespace, uid, resourceVersion, ownerReferences, annotations };
  return { apiVersion, kind, metadata: Object.fromEntries(Object.entries(kept).filter(([, value]) => value !== undefined)) };
}

/** Drops the spec of a pod, which its Deployment contains as well, and keeps the status. */
function withoutSpec({ apiVersion, kind, metadata, status }: KubernetesObject): KubernetesObject {
  const { managedFields: _, ...kept } = metadata;
  return { apiVersion, kind, metadata: kept, ...(status === undefined ? {} : { status }) };
}

type Cache = Informer<KubernetesObject>;

/** Makes the caches of a cluster; `sources` has what each of them follows. */
function cachesOf({ name, client, clock, random, log }: ClusterWatchOptions) {
  const sources = new Map<Cache, ClusterSource<KubernetesObject>>();
  const patterns = new TextPatterns();
  const keep = keepPacked<KubernetesObject>((text) => new ManagedText(text, patterns));
  const follow = (
    resource: ApiResource,
    query: { labels?: string },
    indexers: Record<string, (object: Frozen) => readonly string[]>,
    project: (object: KubernetesObject) => KubernetesObject,
  ): Cache => {
    const source = clusterSource(client, resource, query, project);
    const informer = createInformer<KubernetesObject>({
      name: `${name}/${resource.plural}`,
      source,
      clock,
      random,
      backoff: createBackoff(sourceBackoff, random),
      indexers,
      project,
      keep,
      onError: (error) =>
        log.warn('a cluster is unreachable; its cache watches it again', { cluster: name, resource: resource.plural, error }),
    });
    sources.set(informer, source);
    return informer;
  };
  return { sources, follow };
}

/** Returns the owner label of the rendered object behind a pod: via ReplicaSet and Deployment, or via Job. */
function ownerOfPod(pod: Frozen, replicaSets: Cache, roots: ReadonlyMap<string, Cache>): string | undefined {
  const [job] = ownersOf(pod).flatMap((uid) => roots.get('batch/Job')?.byIndex('uid', uid) ?? []);
  if (job) return job.metadata.labels?.[ownerLabel];
  const [replicaSet] = ownersOf(pod).flatMap((uid) => replicaSets.byIndex('uid', uid));
  const [deployment] = replicaSet ? ownersOf(replicaSet).flatMap((uid) => roots.get('apps/Deployment')?.byIndex('uid', uid) ?? []) : [];
  return deployment?.metadata.labels?.[ownerLabel];
}

/** Watches the kinds to which applications are rendered, and the pods below them. */
export function watchCluster(options: ClusterWatchOptions): ClusterWatch {
  const { profiles, installation } = options;
  const stopping = new AbortController();
  const { sources, follow } = cachesOf(options);
  const ours = { labels: `${installationLabel}=${installation}` };
  const roots = new Map(
    [...owned, ...(profiles.includes('batch') ? batch : [])].map((resource) => [
      refKind(resource),
      follow(resource, ours, byUid, keepingOurManagers),
    ]),
  );
  const replicaSets = follow(replicaSetResource, {}, { ...byOwner, ...byUid }, identityOnly);
  const pods = follow(podResource, {}, byOwner, withoutSpec);
  const all = [...roots.values(), replicaSets, pods];
  const running = all.map((informer) => informer.run(stopping.signal));
  return {
    cached(ref) {
      const informer = roots.get(kindOf(ref));
      return informer?.hasSynced ? { live: informer.get(ref.namespace ? `${ref.namespace}/${ref.name}` : ref.name) } : undefined;
    },
    below(objects) {
      const uidsOf = (owners: readonly Frozen[]) => owners.flatMap(({ metadata }) => metadata.uid ?? []);
      const uids = uidsOf(objects);
      const sets = uids.flatMap((uid) => replicaSets.byIndex('owner', uid));
      return [...sets, ...[...uids, ...uidsOf(sets)].flatMap((uid) => pods.byIndex('owner', uid))];
    },
    onChange(listener) {
      const notify = (owner: string | undefined) => {
        if (owner !== undefined) listener(owner);
      };
      const labelled = (object: Frozen) => notify(object.metadata.labels?.[ownerLabel]);
      const pod = (object: Frozen) => notify(ownerOfPod(object, replicaSets, roots));
      const leave = [...roots.values()].map((informer) => listen(informer, labelled));
      return inOrder([...leave, listen(pods, pod)]);
    },
    synced: async (signal) => void (await Promise.all(all.map((informer) => informer.synced(signal)))),
    async isCaughtUp(signal) {
      for (const [informer, source] of sources) if (!isInStep(informer, (await source.list({ signal })).items)) return false;
      return true;
    },
    async stop() {
      stopping.abort();
      await Promise.all(running);
    },
  };
}

function listen(informer: Cache, notify: (object: Frozen) => void): () => void {
  return informer.addHandler({ add: notify, update: notify, delete: notify });
}

const inOrder = (all: readonly (() => void)[]) => () => {
  for (const each of all) each();
};

const refKind = ({ group, kind }: ApiResource) => `${group}/${kind}`;
const kindOf = (ref: ObjectRef) => refKey(ref).split('/').slice(0, 2).join('/');
