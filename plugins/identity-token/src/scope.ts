import { type Denial, deny, type Immutable, type Resources, tenantLabel } from '@tappaas/sdk';
import { kubernetesHandle, type Namespace } from '@tappaas/sdk/kubernetes';
import type { ApiTokenObject } from './contract.js';

type Spec = Immutable<ApiTokenObject['spec']>;

/** Namespaces, which a scope may name only if they exist. */
export const Namespaces = kubernetesHandle<Namespace>('', 'Namespace');

const nameForm = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

const verbsOfObjects = ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete', 'deletecollection'];
const verbsOfRoles = ['administer', 'bind', 'escalate', 'impersonate', 'oversee', 'use'];
const verbsOfPaths = ['head', 'options', 'post', 'put'];
const known = new Set([...verbsOfObjects, ...verbsOfRoles, ...verbsOfPaths, '*']);

/** Denies new names in a scope that do not exist: most likely a mistake, which the token's user would otherwise notice only by refusals. */
export async function scopeDenials({ scope, tenant }: Spec, previous: Spec | undefined, resources: Resources): Promise<readonly Denial[]> {
  const { verbs = [], namespaces = [] } = scope ?? {};
  const before = { verbs: previous?.scope?.verbs ?? [], namespaces: previous?.scope?.namespaces ?? [] };
  const verbDenials = verbs.flatMap((verb, index) =>
    known.has(verb) || before.verbs.includes(verb)
      ? []
      : [unknown(`spec.scope.verbs[${index}]`, `there is no verb "${verb}"; there are ${[...known].join(', ')}`)],
  );
  const namespaceDenials = namespaces.map(async (name, index) => {
    if (before.namespaces.includes(name) || (await isThere(name, tenant, resources))) return [];
    const owner = tenant === undefined ? '' : ` of tenant ${tenant}`;
    return [unknown(`spec.scope.namespaces[${index}]`, `there is no namespace "${name}"${owner}; for all, name none`)];
  });
  return [...verbDenials, ...(await Promise.all(namespaceDenials)).flat()];
}

async function isThere(name: string, tenant: string | undefined, resources: Resources): Promise<boolean> {
  const found = nameForm.test(name) ? await resources.get(Namespaces, { name }) : undefined;
  return found !== undefined && (tenant === undefined || found.metadata.labels?.[tenantLabel] === tenant);
}

function unknown(field: string, message: string): Denial {
  return deny({ field, reason: 'NotFound', message });
}
