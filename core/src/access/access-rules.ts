import {
  type AccessRequest,
  type AccessRules,
  type AccessSubject,
  administratorsGroup,
  type Authorizer,
  type Caller,
  platformEngine,
} from '@tappaas/sdk';
import type { Access } from './access.js';
import { builtInRules, mayEverything } from './built-in-rules.js';
import { narrowedRules } from './credential-scope.js';
import { withTenants, type PlacedSubjects } from './subject-tenants.js';

/** The sources of rules. */
export interface RuleSources {
  readonly access: Access;
  readonly authorizers: () => readonly Authorizer[];
  readonly engine: string;
}

/** Returns everything that a caller may do in a namespace: by the built-in rules, and by the rules of each authorizer. */
export async function accessRules(sources: RuleSources, caller: Caller, namespace: string): Promise<AccessRules> {
  const own = builtInRules(caller.groups, sources.engine);
  const granted = mayEverything(caller.groups, sources.engine) ? nothing : await grantedRules(sources, caller, namespace);
  const [ofAll, more] = [own, granted].map((rules) => narrowedRules(rules, caller.scope, namespace));
  return joined([ofAll ?? nothing, more ?? nothing]);
}

async function grantedRules({ access, authorizers, engine }: RuleSources, caller: Caller, namespace: string): Promise<AccessRules> {
  const resource = { group: '', version: 'v1', plural: 'pods', namespace };
  const { project, tenant } = access.placed({ engine, resource });
  const isBound = caller.tenant !== undefined && !(await access.isAdministrator(caller));
  if (isBound && tenant !== caller.tenant) return nothing;
  const isProjectOnly = await access.isProjectOnly({ caller, engine, namespace });
  const where = {
    caller,
    engine,
    ...(project !== undefined && { project }),
    ...(tenant !== undefined && { tenant }),
    ...(isProjectOnly && { isProjectOnly }),
  };
  const consulted = authorizers().filter(({ knowsProjects }) => !isProjectOnly || knowsProjects === true);
  const lists = await Promise.all(consulted.map(async (each) => each.rules?.(where) ?? unlisted));
  const tenancy = isBound ? [{ ...ofTenant, incomplete: `rules hold only within the tenant ${caller.tenant ?? ''}` }] : [];
  return joined([...tenancy, ...lists]);
}

const nothing: AccessRules = { resourceRules: [], nonResourceRules: [] };

function joined(all: readonly AccessRules[]): AccessRules {
  const reasons = all.flatMap(({ incomplete }) => incomplete ?? []);
  return {
    resourceRules: all.flatMap(({ resourceRules }) => resourceRules),
    nonResourceRules: all.flatMap(({ nonResourceRules }) => nonResourceRules),
    ...(reasons.length > 0 && { incomplete: reasons.join('; ') }),
  };
}

/** What every member of a tenant may do with the tenant's objects. */
const ofTenant: AccessRules = {
  resourceRules: [
    { verbs: ['get', 'list', 'watch'], apiGroups: [''], resources: ['namespaces'] },
    { verbs: ['get', 'list', 'watch'], apiGroups: ['platform.tappaas.dev'], resources: ['tenants'] },
  ],
  nonResourceRules: [],
};

const unlisted: AccessRules = { resourceRules: [], nonResourceRules: [], incomplete: 'an authorizer does not list its rules' };

const administrators: AccessSubject = { kind: 'Group', name: administratorsGroup, through: 'built-in rule' };
const bindings = { group: 'rbac.authorization.k8s.io', version: 'v1' } as const;

/** The subjects that may do something, and the bindings that are not shown. */
export interface KnownSubjects extends PlacedSubjects {
  /** Bindings that the asker may not list. */
  readonly hidden: readonly string[];
}

/**
 * Returns the subjects that may do something, with their tenants, as far as the asker may list the bindings that grant it, in the namespace
 * and cluster-wide.
 */
export async function subjectsFor(
  { access, authorizers, engine }: RuleSources,
  requester: Caller,
  question: Omit<AccessRequest, 'caller' | 'engine'>,
): Promise<KnownSubjects> {
  const request = access.placed({ engine, ...question });
  const may = async (plural: string, namespace?: string): Promise<boolean> => {
    const resource = { ...bindings, plural, ...(namespace !== undefined && { namespace }) };
    return (await access.authorize({ caller: requester, engine: platformEngine, verb: 'list', resource })).decision === 'allow';
  };
  const { project } = request;
  const inProject = project !== undefined && (await may('rolebindings', project));
  const everywhere = await may('clusterrolebindings');
  const lists = await Promise.all(authorizers().map(async (each) => each.subjects?.(request) ?? []));
  const found = everywhere ? [administrators, ...lists.flat()] : lists.flat();
  const shown = found.filter((subject) => (subject.project === undefined ? everywhere : inProject));
  return {
    ...(await withTenants(access, shown, request)),
    hidden: [...(everywhere ? [] : ['clusterrolebindings']), ...(project === undefined || inProject ? [] : [`rolebindings of ${project}`])],
  };
}
