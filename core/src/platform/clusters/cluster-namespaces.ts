import { createHash } from 'node:crypto';
import { isTapError } from '@tappaas/sdk';
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

/** Makes namespaces on clusters once; one that carries no label of this installation is refused. */
export class ClusterNamespaces {
  readonly #installation: string;
  readonly #ready = new Map<string, Promise<void>>();

  constructor(installation: string) {
    this.#installation = installation;
  }

  /** @throws TAP_NAMESPACE_FOREIGN, TAP_CLUSTER_* */
  ensure(access: ClusterAccess, name: string, namespace: string): Promise<void> {
    const key = `${access.name}/${name}`;
    const known = this.#ready.get(key);
    if (known) return known;
    const made = this.#make(access, name, namespace);
    this.#ready.set(key, made);
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

  /** Ours may have been made before it said for which namespace. */
  async #verify(access: ClusterAccess, name: string, labels: Readonly<Record<string, string>>): Promise<void> {
    const found = (await access.client.find(namespaceResource, { name }))?.metadata.labels ?? {};
    if (found[installationLabel] !== this.#installation) {
      throw platformErrors.TAP_NAMESPACE_FOREIGN({ message: `namespace ${name} of cluster ${access.name} was not made by this platform` });
    }
    if (found[namespaceLabel] === labels[namespaceLabel]) return;
    const marked = { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } };
    await access.client.apply(namespaceResource, marked, { fieldManager: 'tappaas', force: true });
  }
}
