import type { Immutable } from '@tappaas/sdk';
import { Application, Build, type ApplicationObject } from '@tappaas/sdk/kinds';
import {
  kubernetesHandle,
  type ConfigMap,
  type KubernetesSecret,
  type Namespace,
  type Role,
  type RoleBinding,
  type ServiceAccount,
} from '@tappaas/sdk/kubernetes';
import { unitsOf, type Amounts } from './amounts.js';

/** The counted kinds. Secrets are only counted; their data is never read. */
export const ConfigMaps = kubernetesHandle<ConfigMap>('', 'ConfigMap');
export const ServiceAccounts = kubernetesHandle<ServiceAccount>('', 'ServiceAccount');
export const Secrets = kubernetesHandle<KubernetesSecret>('', 'Secret');
export const Roles = kubernetesHandle<Role>('rbac.authorization.k8s.io', 'Role');
export const RoleBindings = kubernetesHandle<RoleBinding>('rbac.authorization.k8s.io', 'RoleBinding');
export const Namespaces = kubernetesHandle<Namespace>('', 'Namespace');

/** Counted kinds inside a namespace, which get the label of its tenant. */
export const contents = [Application, Build, ConfigMaps, Secrets, ServiceAccounts, Roles, RoleBindings] as const;
/** All counted kinds. A Namespace carries its tenant label itself, and only administrators can change it. */
export const counted = [Namespaces, ...contents] as const;

/** The part of an object that counting needs. */
export interface Countable {
  readonly kind: string;
  readonly metadata: { readonly namespace?: string; readonly labels?: Readonly<Record<string, string>> };
}

const single: Readonly<Record<string, Amounts>> = {
  Namespace: { namespaces: 1 },
  Build: { builds: 1 },
  Role: { roles: 1 },
  RoleBinding: { roleBindings: 1 },
  ConfigMap: { configMaps: 1 },
  Secret: { secrets: 1 },
  ServiceAccount: { serviceAccounts: 1 },
};

const ofApplications: Amounts = { applications: 1, replicas: 1, cpu: 1, memory: 1 };

/** Whether objects of a kind use any of the given resources. */
export function takesUp({ kind }: { readonly kind: string }, names: Amounts): boolean {
  const taken = kind === Application.kind ? ofApplications : (single[kind] ?? {});
  return Object.keys(taken).some((name) => Object.hasOwn(names, name));
}

/** What one object uses; a pure function of the object. */
export function usageOf(object: Countable): Amounts {
  if (object.kind !== Application.kind) return single[object.kind] ?? {};
  const { processes } = (object as Immutable<ApplicationObject>).spec;
  let [replicas, cpu, memory] = [0, 0, 0];
  for (const process of processes) {
    replicas += process.replicas;
    cpu += process.replicas * unitsOf('cpu', process.resources?.cpu);
    memory += process.replicas * unitsOf('memory', process.resources?.memory);
  }
  return { applications: 1, replicas, cpu: Math.min(cpu, Number.MAX_SAFE_INTEGER), memory: Math.min(memory, Number.MAX_SAFE_INTEGER) };
}
