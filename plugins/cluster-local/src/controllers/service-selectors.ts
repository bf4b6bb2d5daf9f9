import type { Immutable, Key, KubernetesService, Pod } from '@tappaas/sdk';
import { matchesLabels } from '../kinds/label-selector.js';
import { KeyMemory } from './key-memory.js';
import { keyOf } from './replica-set.js';

type Labels = Readonly<Record<string, string>>;

/**
 * Finds the services that may select a pod. A pod does not name its services, so their selectors are remembered when they are reconciled;
 * after a start every service is reconciled once, which fills the index before a pod's change could be missed.
 *
 * Selectors are indexed by one of their labels, so that a pod is compared only with services that may match.
 */
export class ServiceSelectors {
  readonly #selectors = new KeyMemory<Labels>();
  readonly #byLabel = new Map<string, Map<string, Key>>();

  remember(service: Immutable<KubernetesService>): void {
    const key = keyOf(service);
    this.#unfile(key);
    const selector = service.spec?.selector;
    if (selector === undefined || Object.keys(selector).length === 0) return;
    this.#selectors.remember(key, selector);
    const place = this.#byLabel.get(placeOf(key, selector)) ?? new Map<string, Key>();
    place.set(key.name, key);
    this.#byLabel.set(placeOf(key, selector), place);
  }

  /** The services that select a pod. */
  servicesOf(pod: Immutable<Pod>): readonly Key[] {
    const labels = pod.metadata.labels ?? {};
    const candidates = Object.entries(labels).flatMap(([label, value]) => [
      ...(this.#byLabel.get(`${pod.metadata.namespace ?? ''}/${label}=${value}`)?.values() ?? []),
    ]);
    return candidates.filter((key) => matchesLabels(this.#selectors.get(key) ?? {}, labels));
  }

  /** Removes services that no longer exist; checks only occasionally. */
  async prune(exists: (key: Key) => Promise<boolean>): Promise<void> {
    for (const { key, value } of await this.#selectors.prune(exists)) this.#unfile(key, value);
  }

  #unfile(key: Key, selector = this.#selectors.get(key)): void {
    if (selector === undefined) return;
    const place = this.#byLabel.get(placeOf(key, selector));
    place?.delete(key.name);
    if (place?.size === 0) this.#byLabel.delete(placeOf(key, selector));
    this.#selectors.forget(key);
  }
}

/** The index key of a selector: the namespace and its alphabetically first label. */
function placeOf({ namespace = '' }: Key, selector: Labels): string {
  const [label = '', value = ''] = Object.entries(selector).toSorted(([a], [b]) => (a < b ? -1 : 1))[0] ?? [];
  return `${namespace}/${label}=${value}`;
}
