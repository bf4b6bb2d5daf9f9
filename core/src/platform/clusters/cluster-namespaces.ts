import { createHash } from 'node:crypto';
import { isTapError, type Cluster } from '@tappaas/sdk';
import type { FindClusterNamespace } from '../../api/graphql/ports.js';
import type { ApiResource } from '../../cluster/api-resource.js';
import type { EnginePort } from '../../ports/engine.js';
import { installationLabel } from '../../reconcile/inventory.js';
import { platformErrors } from '../errors.js';
import type { ClusterAccess } from './cluster-access.js';

const namespaceResource: ApiResource = { group: '', version: 'v1', plural: 'namespaces', kind: 'Namespace', namespaced: false };
const nameCharactersMax = 63;
/** Label of a namespace on a cluster, naming the platform namespace for which it was created. */
export const namespaceLabel = 'tappaas.dev/namespace';

const hashCharacters = 32;
/** Length of the hash in names made before decision 0318. */
const earlierHashCharacters = 8;

type Labels = Readonly<Record<string, string>>;

/** The names of a platform namespace on a cluster. */
export interface NamesOnCluster {
  readonly name: string;
  /** The name that it had before hashes were lengthened. Absent where that is the same. */
  readonly earlier?: string;
}

/**
 * Names a platform namespace on a cluster. Names that are too long are truncated and hashed, and so are those that look like it: otherwise
 * a tenant could take the name that another one's namespace gets.
 */
export function namesOnCluster(template: string, namespace: string): NamesOnCluster {
  const full = template.replace('{namespace}', namespace);
  const earlier = shortened(full, earlierHashCharacters, [earlierHashCharacters]);
  const name = shortened(full, hashCharacters, [earlierHashCharacters, hashCharacters]);
  return earlier === name ? { name } : { name, earlier };
}

/** `hashesCharacters` are the lengths of the hashes by which a name of full length is taken for a truncated one. */
function shortened(full: string, characters: number, hashesCharacters: readonly number[]): string {
  const looksShortened = full.length === nameCharactersMax && hashesCharacters.some((each) => new RegExp(`-[0-9a-f]{${each}}$`).test(full));
  if (full.length <= nameCharactersMax && !looksShortened) return full;
  const hash = createHash('sha256').update(full).digest('hex').slice(0, characters);
  return `${full.slice(0, nameCharactersMax - characters - 1)}-${hash}`;
}

type Labelled = { readonly metadata?: { readonly labels?: Labels } };

const isMadeFor = (namespace: string, found: Labelled | undefined): boolean => found?.metadata?.labels?.[namespaceLabel] === namespace;

/** Returns the name of a platform namespace on a cluster: the earlier one, if the cluster has a namespace that was made under it. */
export async function namespaceOn({ client, cluster }: Pick<ClusterAccess, 'client' | 'cluster'>, namespace: string): Promise<string> {
  const { name, earlier } = namesOnCluster(cluster.namespaceTemplate, namespace);
  if (earlier === undefined) return name;
  return isMadeFor(namespace, await client.find(namespaceResource, { name: earlier })) ? earlier : name;
}

/**
 * Makes a function that finds a namespace on a loaded cluster. The name alone proves nothing: the namespace may belong to another tenant,
 * or, with a template such as `{namespace}`, to the cluster itself. Its label must name the platform's namespace.
 */
export function namespacesOfClusters(
  clusters: ReadonlyMap<string, Pick<Cluster, 'namespaceTemplate'>>,
  engines: () => ReadonlyMap<string, Pick<EnginePort, 'getMany'>>,
): FindClusterNamespace {
  return async (cluster, namespace, signal) => {
    const found = clusters.get(cluster);
    const engine = engines().get(cluster);
    if (found === undefined || engine === undefined) return 'unknown-cluster';
    const { name, earlier } = namesOnCluster(found.namespaceTemplate, namespace);
    const keys = earlier === undefined ? [{ name }] : [{ name: earlier }, { name }];
    const served = await engine.getMany(namespaceResource, keys, { signal });
    return keys.find((_, index) => isMadeFor(namespace, served[index]?.object)) ?? 'none';
  };
}

/** Creates namespaces on clusters once; refuses those of another installation or of another platform namespace. */
export class ClusterNamespaces {
  readonly #installation: string;
  readonly #ready = new Map<string, { readonly namespace: string; readonly made: Promise<void> }>();

  constructor(installation: string) {
    this.#installation = installation;
  }

  /** @throws TAP_NAMESPACE_FOREIGN, TAP_CLUSTER_* */
  ensure(access: ClusterAccess, name: string, namespace: string): Promise<void> {
    const key = `${access.name}/${name}`;
    const known = this.#ready.get(key);
    if (known?.namespace === namespace) return known.made;
    const made = this.#make(access, name, namespace);
    if (known) return made;
    this.#ready.set(key, { namespace, made });
    made.catch(() => this.#ready.delete(key));
    return made;
  }

  /** Checks the namespace again next time, because it may have been deleted on the cluster. */
  forget(access: ClusterAccess, name: string): void {
    this.#ready.delete(`${access.name}/${name}`);
  }

  async #make(access: ClusterAccess, name: string, namespace: string): Promise<void> {
    const labels = { [installationLabel]: this.#installation, [namespaceLabel]: namespace, 'app.kubernetes.io/managed-by': 'tappaas' };
    try {
      await access.client.create(namespaceResource, { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } });
    } catch (error) {
      if (!isTapError(error, 'TAP_OBJECT_EXISTS') && !isTapError(error, 'TAP_OBJECT_CONFLICT')) throw error;
      await this.#verify(access, name, labels);
    }
  }

  /**
   * The label determines whose rights govern the namespace on the cluster, so it is only added, never changed: namespaces of this
   * installation may predate it.
   */
  async #verify(access: ClusterAccess, name: string, labels: Labels): Promise<void> {
    const found = (await access.client.find(namespaceResource, { name }))?.metadata.labels ?? {};
    if (found[installationLabel] !== this.#installation) {
      throw platformErrors.TAP_NAMESPACE_FOREIGN({ message: `namespace ${name} of cluster ${access.name} was not made by this platform` });
    }
    const madeFor = found[namespaceLabel];
    if (madeFor === labels[namespaceLabel]) return;
    if (madeFor !== undefined) {
      const message = `namespace ${name} of cluster ${access.name} was made for namespace ${madeFor}, not for ${labels[namespaceLabel]}`;
      throw platformErrors.TAP_NAMESPACE_FOREIGN({ message });
    }
    const marked = { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } };
    await access.client.apply(namespaceResource, marked, { fieldManager: 'tappaas', force: true });
  }
}
