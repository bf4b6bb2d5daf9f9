import {
  secretCopiedFrom,
  secretCopiedVersion,
  type Immutable,
  type KubernetesObject,
  type KubernetesSecret,
  type Resources,
} from '@tappaas/sdk';
import { kubernetesHandle } from '@tappaas/sdk/kubernetes';
import { installationLabel, ownerLabel } from '../reconcile/inventory.js';
import { platformErrors } from './errors.js';

/** The object that brings a rendered Secret's values to its cluster; nothing for anything else. */
export type SecretValues = (object: Immutable<KubernetesObject>) => Promise<KubernetesObject | undefined>;

const secrets = kubernetesHandle<KubernetesSecret>('', 'Secret');

/**
 * Fills in what a rendered Secret only refers to, at the moment it is applied: from the Secret that its annotation names, at the version that
 * was settled.
 *
 * @throws TAP_SECRET_CHANGED when it has another version by now: the next run settles that one
 */
export function secretValues(resources: Resources): SecretValues {
  return async (object) => {
    const from = object.metadata.annotations?.[secretCopiedFrom];
    if (object.kind !== 'Secret' || from === undefined) return undefined;
    const [namespace = '', name = ''] = from.split('/');
    const found = await resources.get(secrets, { namespace, name });
    if (found?.metadata.resourceVersion !== object.metadata.annotations?.[secretCopiedVersion]) {
      throw platformErrors.TAP_SECRET_CHANGED({
        message: `Secret ${from} ${found === undefined ? 'does not exist any more' : 'was changed meanwhile'}`,
      });
    }
    const { apiVersion, kind, metadata } = object;
    const labels = Object.fromEntries(
      Object.entries(metadata.labels ?? {}).filter(([label]) => label === installationLabel || label === ownerLabel),
    );
    const target = { name: metadata.name, ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }), labels };
    return { apiVersion, kind, metadata: target, data: found?.data ?? {} };
  };
}
