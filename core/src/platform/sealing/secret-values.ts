import type { Immutable, KubernetesObject, Resources } from '@tappaas/sdk';
import { installationLabel, ownerLabel } from '../../reconcile/inventory.js';
import { referredData } from '../rendering/release-secrets.js';
import type { ReportSecretRead } from './secret-access.js';

/** Returns the object that adds a rendered Secret's values on its cluster; undefined for other objects. */
export type SecretValues = (object: Immutable<KubernetesObject>, signal: AbortSignal) => Promise<KubernetesObject | undefined>;

/**
 * Makes the function that resolves a Secret rendered for `namespace`, which is only a reference, at the moment it is applied: from the copy
 * kept for its release. Observers of secrets are notified first, and may withhold it.
 *
 * @throws TAP_SECRET_CHANGED when there is no copy and the original has another version by now, which the next run resolves
 * @throws TAP_SECRET_FOREIGN when it refers to a Secret of another namespace
 */
export function secretValues(resources: Resources, namespace: string, reportRead: ReportSecretRead, purpose: string): SecretValues {
  return async (object, signal) => {
    const data = await referredData(resources, namespace, object, (read) => reportRead({ ...read, purpose, signal }));
    if (data === undefined) return undefined;
    const { apiVersion, kind, metadata } = object;
    const labels = Object.fromEntries(
      Object.entries(metadata.labels ?? {}).filter(([label]) => label === installationLabel || label === ownerLabel),
    );
    const target = { name: metadata.name, ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }), labels };
    return { apiVersion, kind, metadata: target, data };
  };
}
