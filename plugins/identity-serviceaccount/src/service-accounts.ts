import { kubernetesHandle, type Namespace, type KubernetesSecret, type ServiceAccount } from '@tappaas/sdk/kubernetes';

export const serviceAccounts = kubernetesHandle<ServiceAccount>('', 'ServiceAccount');
export const secrets = kubernetesHandle<KubernetesSecret>('', 'Secret');
export const namespaces = kubernetesHandle<Namespace>('', 'Namespace');

const form = /^system:serviceaccount:(?<namespace>[a-z0-9]([-a-z0-9]*[a-z0-9])?):(?<name>[a-z0-9]([-a-z0-9.]*[a-z0-9])?)$/;

/** Namespace and name of the service account with this user name; undefined for other users. */
export function accountOf(subject: unknown): { readonly namespace: string; readonly name: string } | undefined {
  const { namespace, name } = (typeof subject === 'string' ? form.exec(subject)?.groups : undefined) ?? {};
  return namespace === undefined || name === undefined ? undefined : { namespace, name };
}
