import type { Resources } from '@tappaas/sdk';
import { errors } from './errors.js';
import { secrets } from './service-accounts.js';

/** The object that a token is bound to: the token is valid while the object exists. */
export interface BoundReference {
  readonly kind?: string;
  readonly apiVersion?: string;
  readonly name?: string;
  readonly uid?: string;
}

/**
 * Returns the uid of the Secret to bind a token to. Pods and Nodes are refused: they live on clusters, so their deletion would not be
 * noticed here.
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
