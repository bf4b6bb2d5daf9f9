import type { Immutable } from '@tappaas/sdk';
import { Application, type ApplicationObject } from '@tappaas/sdk/kinds';
import { kubernetesHandle, type ConfigMap, type ServiceAccount } from '@tappaas/sdk/kubernetes';
import { unitsOf, type Amounts } from './amounts.js';

/** What counts; confidential kinds do not, since the names of claims are not sealed. */
export const ConfigMaps = kubernetesHandle<ConfigMap>('', 'ConfigMap');
export const ServiceAccounts = kubernetesHandle<ServiceAccount>('', 'ServiceAccount');
export const counted = [Application, ConfigMaps, ServiceAccounts] as const;

/** An object as far as it counts. */
export interface Countable {
  readonly kind: string;
  readonly metadata: { readonly namespace?: string; readonly labels?: Readonly<Record<string, string>> };
}

const single: Readonly<Record<string, Amounts>> = {
  ConfigMap: { configMaps: 1 },
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
