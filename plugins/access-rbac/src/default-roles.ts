import { administratorsGroup, authenticatedGroup } from '@tappaas/sdk';
import type { AggregationRule, Subject } from '@tappaas/sdk/kubernetes';
import { rbacGroup } from './kinds.js';
import type { Rule } from './rule.js';

/** A role that the platform creates. */
export interface DefaultRole {
  readonly name: string;
  readonly description: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly rules?: readonly Rule[];
  readonly aggregationRule?: AggregationRule;
}

/** A binding that the platform creates. */
export interface DefaultBinding {
  readonly name: string;
  readonly role: string;
  readonly subjects: readonly Subject[];
}

const reading = ['get', 'list', 'watch'];
const writing = ['create', 'update', 'patch', 'delete', 'deletecollection'];
const ours = ['apps.tappaas.dev', 'config.tappaas.dev', 'ops.tappaas.dev'];
const workloads = ['apps', 'batch', 'autoscaling', 'networking.k8s.io', 'discovery.k8s.io', 'policy', 'events.k8s.io', 'metrics.k8s.io'];
const identity = 'identity.tappaas.dev';
const coreRead = [
  'bindings',
  'configmaps',
  'endpoints',
  'events',
  'limitranges',
  'namespaces',
  'namespaces/status',
  'persistentvolumeclaims',
  'persistentvolumeclaims/status',
  'pods',
  'pods/log',
  'pods/status',
  'replicationcontrollers',
  'resourcequotas',
  'resourcequotas/status',
  'serviceaccounts',
  'services',
  'services/status',
];
const aggregate = (to: string) => `rbac.authorization.k8s.io/aggregate-to-${to}`;
const aggregated = (to: string): AggregationRule => ({ clusterRoleSelectors: [{ matchLabels: { [aggregate(to)]: 'true' } }] });

const viewerRules: readonly Rule[] = [
  { verbs: reading, apiGroups: ours, resources: ['*'] },
  { verbs: reading, apiGroups: ['platform.tappaas.dev'], resources: ['quotas', 'quotas/status', 'placementdecisions'] },
  { verbs: reading, apiGroups: [''], resources: coreRead },
  { verbs: reading, apiGroups: workloads, resources: ['*'] },
];

const developerRules: readonly Rule[] = [
  {
    verbs: writing,
    apiGroups: ['apps.tappaas.dev'],
    resources: ['applications', 'applications/scale', 'applications/restart', 'applications/rollback', 'builds', 'domains', 'scalers'],
  },
  { verbs: writing, apiGroups: ['config.tappaas.dev'], resources: ['configs', 'managedsecrets'] },
  { verbs: writing, apiGroups: ['ops.tappaas.dev'], resources: ['backups', 'backupschedules', 'restores'] },
  { verbs: ['create', 'patch', 'update'], apiGroups: ['ops.tappaas.dev'], resources: ['operations', 'operations/cancel'] },
  { verbs: [...reading, ...writing], apiGroups: [''], resources: ['secrets'] },
  { verbs: writing, apiGroups: [''], resources: ['configmaps'] },
  { verbs: ['create', 'patch', 'update'], apiGroups: ['', 'events.k8s.io'], resources: ['events'] },
  { verbs: ['delete'], apiGroups: [''], resources: ['pods'] },
  { verbs: ['get', 'create'], apiGroups: [''], resources: ['pods/attach', 'pods/exec', 'pods/portforward'] },
];

const tenantAdminRules: readonly Rule[] = [
  { verbs: [...reading, ...writing], apiGroups: [rbacGroup], resources: ['roles', 'rolebindings'] },
  { verbs: ['create'], apiGroups: ['authorization.k8s.io'], resources: ['localsubjectaccessreviews'] },
  { verbs: [...writing, 'impersonate'], apiGroups: [''], resources: ['serviceaccounts'] },
  { verbs: ['create'], apiGroups: [''], resources: ['serviceaccounts/token'] },
  { verbs: ['create', 'update', 'patch', 'delete'], apiGroups: [''], resources: ['namespaces'] },
  // Every caller has the verbs for own objects; `administer` extends them to the objects of other users of the tenant.
  { verbs: ['administer'], apiGroups: [identity], resources: ['apitokens', 'sessions'] },
];

/** For auditors: read access to everything but the data of secrets, and no writes. */
const auditorRules: readonly Rule[] = [
  ...viewerRules,
  { verbs: reading, apiGroups: ['platform.tappaas.dev', rbacGroup, 'coordination.k8s.io', 'storage.k8s.io'], resources: ['*'] },
  { verbs: reading, apiGroups: [''], resources: ['nodes', 'nodes/status', 'persistentvolumes'] },
  { verbs: ['create'], apiGroups: ['authorization.k8s.io'], resources: ['subjectaccessreviews', 'localsubjectaccessreviews'] },
  { verbs: ['oversee'], apiGroups: ['platform.tappaas.dev'], resources: ['tenants'] },
  {
    verbs: ['get', 'head'],
    nonResourceURLs: ['/audit', '/audit/*', '/metrics', '/plugins/platform/explain'],
  },
];

/**
 * An upload only makes an archive, which its sender must have, available to builds of the namespace it names; creating anything from it
 * needs a role. For tokens and sessions, the kinds declare their owner fields, so these rules cover only the caller's own objects.
 */
const authenticatedRules: readonly Rule[] = [
  { verbs: [...reading, 'create', 'update', 'patch', 'delete'], apiGroups: [identity], resources: ['apitokens'] },
  { verbs: ['create'], apiGroups: [identity], resources: ['apitokens/issue'] },
  { verbs: [...reading, 'delete'], apiGroups: [identity], resources: ['sessions'] },
  {
    verbs: ['get', 'head', 'post', 'put'],
    nonResourceURLs: ['/plugins/-/sources', '/plugins/-/sources/*', '/plugins/platform/routes'],
  },
];

/** The default roles. They aggregate by Kubernetes' own labels, so that roles made for view, edit and admin join them. */
export const defaultRoles: readonly DefaultRole[] = [
  {
    name: 'platform-admin',
    description: 'Everything, everywhere, in every tenant.',
    rules: [
      { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
      { verbs: ['*'], nonResourceURLs: ['*'] },
    ],
  },
  {
    name: 'tenant-admin',
    description: 'Full rights in a project: those of developers, and its roles, bindings, service accounts and namespaces.',
    aggregationRule: aggregated('admin'),
  },
  {
    name: 'developer',
    description: 'Deploys and operates applications, with their configuration and secrets.',
    labels: { [aggregate('admin')]: 'true' },
    aggregationRule: aggregated('edit'),
  },
  {
    name: 'viewer',
    description: 'Reads applications and their state, but no secrets.',
    labels: { [aggregate('edit')]: 'true' },
    aggregationRule: aggregated('view'),
  },
  { name: 'auditor', description: 'Reads everything on the platform except secrets, and changes nothing.', rules: auditorRules },
  {
    name: 'tappaas:viewer',
    description: 'Rights that the platform adds to viewer.',
    labels: { [aggregate('view')]: 'true' },
    rules: viewerRules,
  },
  {
    name: 'tappaas:developer',
    description: 'Rights that the platform adds to developer.',
    labels: { [aggregate('edit')]: 'true' },
    rules: developerRules,
  },
  {
    name: 'tappaas:tenant-admin',
    description: 'Rights that the platform adds to tenant-admin.',
    labels: { [aggregate('admin')]: 'true' },
    rules: tenantAdminRules,
  },
  {
    name: 'tappaas:everybody',
    description: 'Rights of every authenticated caller: upload source, have API tokens and sessions.',
    rules: authenticatedRules,
  },
];

const group = (name: string): Subject => ({ kind: 'Group', apiGroup: rbacGroup, name });

export const defaultBindings: readonly DefaultBinding[] = [
  { name: 'platform-admin', role: 'platform-admin', subjects: [group(administratorsGroup)] },
  { name: 'tappaas:everybody', role: 'tappaas:everybody', subjects: [group(authenticatedGroup)] },
];
