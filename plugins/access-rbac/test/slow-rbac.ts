/** A reference implementation of RBAC as documented, which checks one rule after the other in plain lists: obviously right, and slow. */
import type { AccessRequest } from '@tappaas/sdk';
import type { PolicyRule, RoleRef, Subject } from '@tappaas/sdk/kubernetes';

export interface RoleObject {
  readonly namespace?: string;
  readonly name: string;
  readonly rules: readonly PolicyRule[];
}

export interface BindingObject {
  readonly namespace?: string;
  readonly name: string;
  readonly roleRef: RoleRef;
  readonly subjects: readonly Subject[];
}

export interface World {
  readonly roles: readonly RoleObject[];
  readonly bindings: readonly BindingObject[];
}

type Question = Pick<AccessRequest, 'caller' | 'verb' | 'resource' | 'path' | 'project'>;

export function slowlyAllowed({ roles, bindings }: World, question: Question): boolean {
  const { caller, project } = question;
  const isMeant = (subject: Subject, namespace: string | undefined): boolean => {
    if (subject.kind === 'User') return subject.name === caller.name;
    if (subject.kind === 'Group') return caller.groups.includes(subject.name);
    const home = subject.namespace ?? namespace;
    return home !== undefined && caller.name === `system:serviceaccount:${home}:${subject.name}`;
  };
  return bindings
    .filter(({ namespace }) => namespace === undefined || namespace === project)
    .filter(({ subjects, namespace }) => subjects.some((subject) => isMeant(subject, namespace)))
    .flatMap(({ roleRef, namespace }) =>
      roles.filter((role) => role.name === roleRef.name && role.namespace === (roleRef.kind === 'ClusterRole' ? undefined : namespace)),
    )
    .flatMap(({ rules }) => rules)
    .some((rule) => slowlyMatches(rule, question));
}

function slowlyMatches(rule: PolicyRule, { verb, resource, path }: Question): boolean {
  const { verbs, apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [] } = rule;
  if (!verbs.some((each) => each === '*' || each === verb)) return false;
  if (resource === undefined) {
    return nonResourceURLs.some((url) => url === '*' || url === path || (url.endsWith('*') && (path ?? '').startsWith(url.slice(0, -1))));
  }
  const { group, plural, subresource, name } = resource;
  const combined = subresource === undefined ? plural : `${plural}/${subresource}`;
  return (
    apiGroups.some((each) => each === '*' || each === group) &&
    resources.some((each) => each === '*' || each === combined || (subresource !== undefined && each === `*/${subresource}`)) &&
    (resourceNames.length === 0 || resourceNames.includes(name ?? ''))
  );
}
