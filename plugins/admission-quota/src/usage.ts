import type { Immutable } from '@tappaas/sdk';
import { Application, type ApplicationObject } from '@tappaas/sdk/kinds';
import { kubernetesHandle, type ConfigMap, type KubernetesSecret, type ServiceAccount } from '@tappaas/sdk/kubernetes';
import { unitsOf, type Amounts } from './amounts.js';

/** What counts. Of Secrets only that they are there: what is in them is never asked for. */
export const ConfigMaps = kubernetesHandle<ConfigMap>('', 'ConfigMap');
export const ServiceAccounts = kubernetesHandle<ServiceAccount>('', 'ServiceAccount');
export const Secrets = kubernetesHandle<KubernetesSecret>('', 'Secret');
export const counted = [Application, ConfigMaps, Secrets, ServiceAccounts] as const;

/** An object as far as it counts. */
export interface Countable {
  readonly kind: string;
  readonly metadata: { readonly namespace?: string; readonly labels?: Readonly<Record<string, string>> };
}

const single: Readonly<Record<string, Amounts>> = {
  ConfigMap: { configMaps: 1 },
  Secret: { secrets: 1 },
  ServiceAccount: { serviceAccounts: 1 },
};

/** What one object takes up; a pure function of it. */
export function usageOf(object: Countable): Amounts {
  if (object.kind !== Application.kind) return single[object.kind] ?? {};
  const { processes } = (object as unknown as Immutable<ApplicationObject>).spec;
  let [replicas, cpu, memory] = [0, 0, 0];
  for (const process of processes) {
    replicas += process.replicas;
    cpu += process.replicas * unitsOf('cpu', process.resources?.cpu);
    memory += process.replicas * unitsOf('memory', process.resources?.memory);
  }
  return { applications: 1, replicas, cpu: Math.min(cpu, Number.MAX_SAFE_INTEGER), memory: Math.min(memory, Number.MAX_SAFE_INTEGER) };
}
