import { createHash } from 'node:crypto';
import { isTapError, type Cluster } from '@tappaas/sdk';
import type { ApiResource } from '../../cluster/api-resource.js';
import { installationLabel } from '../../reconcile/inventory.js';
import { platformErrors } from '../errors.js';
import type { ClusterAccess } from './cluster-access.js';

const namespaceResource: ApiResource = { group: '', version: 'v1', plural: 'namespaces', kind: 'Namespace', namespaced: false };
const nameCharactersMax = 63;
const hashCharacters = 8;
/** Says on a cluster for which of the platform's namespaces a namespace was made. */
export const namespaceLabel = 'tappaas.dev/namespace';

/** Name of a platform namespace on a cluster; too long ones are cut and hashed, so that two never meet. */
export function clusterNamespace(template: string, namespace: string): string {
  const name = template.replace('{namespace}', namespace);
  if (name.length <= nameCharactersMax) return name;
  const hash = createHash('sha256').update(name).digest('hex').slice(0, hashCharacters);
  return `${name.slice(0, nameCharactersMax - hashCharacters - 1)}-${hash}`;
}

/** The names of the platform's namespaces on the clusters that are loaded. */
export function namespacesOfClusters(clusters: ReadonlyMap<string, Pick<Cluster, 'namespaceTemplate'>>) {
  return (cluster: string, namespace: string): string | undefined => {
    const found = clusters.get(cluster);
    return found && clusterNamespace(found.namespaceTemplate, namespace);
  };
}

/** Makes namespaces on clusters once; one of another installation, or of another of the platform's namespaces, is refused. */
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

  /** It may have been deleted on the cluster: look again next time. */
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
   * Its label decides whose rights govern the namespace on the cluster, so only an absent one is written: namespaces of this installation
   * may have been made before they carried it.
   */
  async #verify(access: ClusterAccess, name: string, labels: Readonly<Record<string, string>>): Promise<void> {
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
