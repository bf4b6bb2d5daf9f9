import type { Immutable, KubernetesObject, Resources } from '@tappaas/sdk';
import { installationLabel, ownerLabel } from '../../reconcile/inventory.js';
import { referredData } from '../rendering/release-secrets.js';
import type { TellSecretRead } from './secret-access.js';

/** The object that brings a rendered Secret's values to its cluster; nothing for anything else. */
export type SecretValues = (object: Immutable<KubernetesObject>, signal: AbortSignal) => Promise<KubernetesObject | undefined>;

/**
 * Fills in what a Secret rendered for `namespace` only refers to, at the moment it is applied: from the copy that is kept for its release.
 * Who observes secrets is told first, and may withhold it.
 *
 * @throws TAP_SECRET_CHANGED when there is no copy and the original has another version by now: the next run settles that one
 * @throws TAP_SECRET_FOREIGN when it refers to a Secret of another namespace
 */
export function secretValues(resources: Resources, namespace: string, tell: TellSecretRead, purpose: string): SecretValues {
  return async (object, signal) => {
    const data = await referredData(resources, namespace, object, (read) => tell({ ...read, purpose, signal }));
    if (data === undefined) return undefined;
    const { apiVersion, kind, metadata } = object;
    const labels = Object.fromEntries(
      Object.entries(metadata.labels ?? {}).filter(([label]) => label === installationLabel || label === ownerLabel),
    );
    const target = { name: metadata.name, ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }), labels };
    return { apiVersion, kind, metadata: target, data };
  };
}
