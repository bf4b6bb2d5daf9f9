import type { Resources } from '@tappaas/sdk';
import { errors } from './errors.js';
import { secrets } from './service-accounts.js';

/** What a token is to be bound to: it is good as long as that exists. */
export interface BoundReference {
  readonly kind?: string;
  readonly apiVersion?: string;
  readonly name?: string;
  readonly uid?: string;
}

/**
 * The uid of the Secret that a token is to be bound to. Pods and Nodes live on clusters and not here, so nobody could say that they are gone.
 *
 * @throws IDENTITY_SERVICEACCOUNT_REQUEST_INVALID, IDENTITY_SERVICEACCOUNT_BOUND_MISMATCH
 */
export async function boundSecretUid(bound: BoundReference, namespace: string, resources: Resources): Promise<string> {
  const { kind = '', apiVersion = '', name = '', uid } = bound;
  if (kind !== 'Secret' || (apiVersion !== 'v1' && apiVersion !== '')) {
    throw errors.IDENTITY_SERVICEACCOUNT_REQUEST_INVALID({
      message: `spec.boundObjectRef.kind: expected Secret of v1, found "${kind}" of "${apiVersion}"; pods and nodes live on clusters`,
      field: 'spec.boundObjectRef.kind',
    });
  }
  const found = name === '' ? undefined : await resources.get(secrets, { namespace, name });
  const has = found?.metadata.uid;
  if (has === undefined) {
    throw errors.IDENTITY_SERVICEACCOUNT_REQUEST_INVALID({
      message: `spec.boundObjectRef.name: there is no secret "${name}" in namespace ${namespace}`,
      field: 'spec.boundObjectRef.name',
    });
  }
  if (uid === undefined || uid === '' || uid === has) return has;
  throw errors.IDENTITY_SERVICEACCOUNT_BOUND_MISMATCH({
    message: `spec.boundObjectRef.uid: secret "${name}" has uid ${has}, expected ${uid}`,
    field: 'spec.boundObjectRef.uid',
  });
}
