import { defineKind, Type, type ObjectOf } from '@tappaas/sdk';

const amount = (description: string) =>
  Type.Optional(Type.String({ pattern: '^[0-9]+(\\.[0-9]+)?(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?$', description }));
const count = (description: string) => Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000_000_000, description }));

/** Fields of both the limits and the reported usage. */
const amounts = {
  namespaces: count('Namespaces; of a tenant.'),
  applications: count('Applications.'),
  builds: count('Builds, ended ones too.'),
  configMaps: count('ConfigMaps.'),
  secrets: count('Secrets.'),
  serviceAccounts: count('ServiceAccounts.'),
  roles: count('Roles.'),
  roleBindings: count('RoleBindings.'),
  replicas: count('Replicas of all processes of all applications.'),
  cpu: amount('Processor time a second of all replicas, such as 20 or 500m.'),
  memory: amount('Memory of all replicas, such as 64Gi.'),
};

/**
 * Limits how much a tenant or a namespace may have at once. Of several quotas for the same subject, the smallest of
 * each limit applies.
 */
export const Quota = defineKind({
  group: 'platform.tappaas.dev',
  kind: 'Quota',
  plural: 'quotas',
  version: 'v1alpha1',
  scope: 'Cluster',
  description: 'Limits of a tenant or namespace: objects of a kind, replicas, processor time, memory.',
  spec: Type.Object({
    of: Type.Object(
      {
        tenant: Type.Optional(Type.String({ minLength: 1, maxLength: 63, description: 'All namespaces of this tenant together.' })),
        namespace: Type.Optional(Type.String({ minLength: 1, maxLength: 63, description: 'This namespace.' })),
      },
      { minProperties: 1, maxProperties: 1, description: 'Subject of the limits: either tenant or namespace.' },
    ),
    limits: Type.Object(amounts, { description: 'Limits by resource; a resource that is not listed is unlimited.' }),
  }),
  status: Type.Object({
    used: Type.Optional(Type.Object(amounts, { description: 'Usage at the last count.' })),
    observedGeneration: Type.Optional(Type.Integer()),
    conditions: Type.Optional(
      Type.Array(
        Type.Object({
          type: Type.String(),
          status: Type.String(),
          reason: Type.String(),
          message: Type.String(),
          lastTransitionTime: Type.Optional(Type.String()),
          observedGeneration: Type.Optional(Type.Integer()),
        }),
      ),
    ),
  }),
  fields: ['spec.of.tenant'],
  owner: { tenant: 'spec.of.tenant' },
  columns: [
    { name: 'Tenant', path: '.spec.of.tenant', description: 'Tenant that is limited.' },
    { name: 'Namespace', path: '.spec.of.namespace', description: 'Namespace that is limited.' },
  ],
});

/** A Quota object. */
export type QuotaObject = ObjectOf<typeof Quota>;
