import { isTapError, type Immutable, type Resources } from '@tappaas/sdk';
import type { ClusterRole, ClusterRoleBinding } from '@tappaas/sdk/kubernetes';
import { uncovered } from './cover.js';
import { defaultBindings, defaultRoles, type DefaultBinding, type DefaultRole } from './default-roles.js';
import { ClusterRoleBindings, ClusterRoles, rbacGroup } from './kinds.js';

const autoupdate = 'rbac.authorization.kubernetes.io/autoupdate';
const description = 'tappaas.dev/description';
const bootstrapping = { 'kubernetes.io/bootstrapping': 'rbac-defaults' };

/**
 * Brings the default roles and bindings to their desired state, as kube-apiserver does at its start: creates missing
 * objects, adds missing rules, selectors, labels and subjects, keeps additions by others, and skips objects with the
 * annotation `rbac.authorization.kubernetes.io/autoupdate: "false"`.
 */
export async function reconcileDefaults(resources: Resources): Promise<void> {
  for (const role of defaultRoles) await reconcile(() => reconcileRole(resources, role));
  for (const binding of defaultBindings) await reconcile(() => reconcileBinding(resources, binding));
}

/** Retries once after a concurrent write by someone else. */
async function reconcile(run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    if (!isTapError(error, 'TAP_OBJECT_CONFLICT') && !isTapError(error, 'TAP_OBJECT_EXISTS')) throw error;
    await run();
  }
}

async function reconcileRole(resources: Resources, role: DefaultRole): Promise<void> {
  const found = await resources.get(ClusterRoles, { name: role.name });
  const annotations = { [autoupdate]: 'true', [description]: role.description };
  const labels = { ...bootstrapping, ...role.labels };
  if (found === undefined) {
    const { rules, aggregationRule } = role;
    await resources.create(ClusterRoles, {
      metadata: { name: role.name, labels, annotations },
      ...(aggregationRule && { aggregationRule }),
      rules: rules ?? [],
    });
    return;
  }
  if (found.metadata.annotations?.[autoupdate] === 'false') return;
  const patch = { ...missingMetadata(found, { labels, annotations }), ...missingRules(found, role), ...missingSelectors(found, role) };
  await write(resources, ClusterRoles, found, patch);
}

function missingRules(found: Immutable<ClusterRole>, { rules }: DefaultRole): object {
  if (rules === undefined) return {};
  const missing = uncovered(found.rules ?? [], rules);
  return missing.length === 0 ? {} : { rules: [...(found.rules ?? []), ...missing] };
}

function missingSelectors(found: Immutable<ClusterRole>, { aggregationRule }: DefaultRole): object {
  if (aggregationRule === undefined) return {};
  const known = found.aggregationRule?.clusterRoleSelectors ?? [];
  const missing = (aggregationRule.clusterRoleSelectors ?? []).filter(
    (wanted) => !known.some((each) => JSON.stringify(each) === JSON.stringify(wanted)),
  );
  return missing.length === 0 ? {} : { aggregationRule: { clusterRoleSelectors: [...known, ...missing] } };
}

async function reconcileBinding(resources: Resources, { name, role, subjects }: DefaultBinding): Promise<void> {
  const found = await resources.get(ClusterRoleBindings, { name });
  const metadata = { name, labels: bootstrapping, annotations: { [autoupdate]: 'true' } };
  const roleRef = { apiGroup: rbacGroup, kind: 'ClusterRole', name: role };
  if (found?.metadata.annotations?.[autoupdate] === 'false') return;
  const isOther = found !== undefined && (found.roleRef.kind !== roleRef.kind || found.roleRef.name !== role);
  // The roleRef of a binding is immutable, so a binding with another one is deleted and created again.
  if (isOther) await resources.delete(ClusterRoleBindings, { name }, { uid: found.metadata.uid ?? '' });
  if (found === undefined || isOther) {
    await resources.create(ClusterRoleBindings, { metadata, roleRef, subjects });
    return;
  }
  const known = found.subjects ?? [];
  const missing = subjects.filter((wanted) => !known.some((each) => each.kind === wanted.kind && each.name === wanted.name));
  const patch = { ...missingMetadata(found, metadata), ...(missing.length > 0 && { subjects: [...known, ...missing] }) };
  await write(resources, ClusterRoleBindings, found, patch);
}

type Described = Immutable<Pick<ClusterRole | ClusterRoleBinding, 'metadata'>>;
type Words = Readonly<Record<string, string>>;

function missingMetadata({ metadata }: Described, wanted: { readonly labels: Words; readonly annotations: Words }): object {
  const labels = missingWords(metadata.labels, wanted.labels);
  const annotations = missingWords(metadata.annotations, wanted.annotations);
  const missing = { ...(labels && { labels }), ...(annotations && { annotations }) };
  return Object.keys(missing).length === 0 ? {} : { metadata: missing };
}

function missingWords(known: Words = {}, wanted: Words): Words | undefined {
  const missing = Object.entries(wanted).filter(([key]) => known[key] === undefined);
  return missing.length === 0 ? undefined : Object.fromEntries(missing);
}

async function write(
  resources: Resources,
  kind: typeof ClusterRoles | typeof ClusterRoleBindings,
  { metadata }: Described,
  patch: object,
): Promise<void> {
  if (Object.keys(patch).length === 0) return;
  const own = 'metadata' in patch ? (patch.metadata as object) : {};
  const { name = '', resourceVersion } = metadata;
  await resources.patch(kind, { name }, { ...patch, metadata: { ...own, resourceVersion } });
}
