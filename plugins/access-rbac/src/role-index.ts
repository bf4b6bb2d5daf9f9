import type { AccessDecision, AccessRequest, AccessSubject, Caller, Immutable } from '@tappaas/sdk';
import type { RoleRef, Subject } from '@tappaas/sdk/kubernetes';
import { Grants, type Grant, type KnownRole } from './grants.js';
import { CompiledRules, type RuleRequest, type Rule } from './rule.js';
import { roleSubjectOf, subjectOfUser, type RoleSubject } from './subject.js';

/** The part of a binding that decisions use. */
export interface Binding {
  /** Undefined for a ClusterRoleBinding, which holds everywhere. */
  readonly namespace: string | undefined;
  readonly name: string;
  readonly roleRef: Immutable<RoleRef>;
  readonly subjects: readonly Immutable<Subject>[];
}

interface KnownBinding {
  readonly project: string | undefined;
  readonly role: string;
  readonly roleSubjects: readonly RoleSubject[];
}

const noOpinion: AccessDecision = Object.freeze({ decision: 'no-opinion', reason: '' });

/**
 * Indexes roles and bindings by subject, so that a decision looks only at the caller's own grants. Updates are
 * incremental: a changed binding touches only its subjects, a changed role only itself.
 */
export class RoleIndex {
  readonly #compile: (rules: readonly Rule[]) => CompiledRules;
  readonly #roles = new Map<string, KnownRole>();
  readonly #bindings = new Map<string, KnownBinding>();
  readonly #grants = { users: new Map<string, Grants>(), groups: new Map<string, Grants>() };
  #revision: object = {};

  constructor(compile = (rules: readonly Rule[]) => new CompiledRules(rules)) {
    this.#compile = compile;
  }

  /** A new object after every change of a role or binding. */
  get revision(): object {
    return this.#revision;
  }

  setRole(namespace: string | undefined, name: string, rules: readonly Rule[]): void {
    this.#revision = {};
    Object.assign(this.#role(roleKey(namespace, name)), { rules, compiled: this.#compile(rules) });
  }

  /** Bindings of the removed role grant nothing until a role of that name exists again. */
  removeRole(namespace: string | undefined, name: string): void {
    this.#revision = {};
    const key = roleKey(namespace, name);
    Object.assign(this.#role(key), { rules: undefined, compiled: undefined });
    this.#forget(key);
  }

  setBinding({ namespace, name, roleRef, subjects }: Binding): void {
    this.#revision = {};
    this.removeBinding(namespace, name);
    const key = roleKey(namespace, name);
    const roleOf = refKey(roleRef, namespace);
    const role = this.#role(roleOf);
    role.bindings += 1;
    const through = `${namespace === undefined ? 'ClusterRoleBinding' : 'RoleBinding'} "${namespace === undefined ? name : `${namespace}/${name}`}" of ${roleRef.kind} "${roleRef.name}"`;
    const roleSubjects = unique(subjects.flatMap((subject) => roleSubjectOf(subject, namespace) ?? []));
    for (const { sort, name: subjectName } of roleSubjects) {
      const grants = this.#grants[sort].get(subjectName) ?? new Grants();
      this.#grants[sort].set(subjectName, grants);
      const whom = sort === 'users' ? 'User' : 'Group';
      const allow = Object.freeze({ decision: 'allow', reason: `RBAC: allowed by ${through} to ${whom} "${subjectName}"` } as const);
      grants.add(namespace, { role, binding: key, through, allow });
    }
    this.#bindings.set(key, { project: namespace, role: roleOf, roleSubjects });
  }

  removeBinding(namespace: string | undefined, name: string): void {
    const key = roleKey(namespace, name);
    const known = this.#bindings.get(key);
    if (known === undefined) return;
    this.#revision = {};
    this.#bindings.delete(key);
    this.#role(known.role).bindings -= 1;
    this.#forget(known.role);
    for (const { sort, name: subjectName } of known.roleSubjects) {
      const grants = this.#grants[sort].get(subjectName);
      grants?.remove(known.project, key);
      if (grants?.isEmpty === true) this.#grants[sort].delete(subjectName);
    }
  }

  /** The rules of the role that a binding refers to; undefined if the role does not exist. */
  rulesOf(roleRef: Immutable<Pick<RoleRef, 'kind' | 'name'>>, namespace: string | undefined): readonly Rule[] | undefined {
    return this.#roles.get(refKey(roleRef, namespace))?.rules;
  }

  decide(request: RuleRequest & Pick<AccessRequest, 'caller' | 'project' | 'isProjectOnly'>): AccessDecision {
    const { caller, project } = request;
    const own = this.#first(this.#grants.users.get(caller.name), project, request);
    if (own !== undefined) return own;
    for (const group of caller.groups) {
      const found = this.#first(this.#grants.groups.get(group), project, request);
      if (found !== undefined) return found;
    }
    return noOpinion;
  }

  /** All rules that the caller has in a project, including cluster-wide ones unless `isProjectOnly`. */
  rulesFor(caller: Caller, project: string | undefined, isProjectOnly = false): readonly Rule[] {
    const grants = [this.#grants.users.get(caller.name), ...caller.groups.map((group) => this.#grants.groups.get(group))];
    return grants.flatMap((each) =>
      each === undefined ? [] : [...(isProjectOnly ? [] : each.everywhere), ...each.in(project)].flatMap(({ role }) => role.rules ?? []),
    );
  }

  /** The subjects that are allowed the request, each with the binding that grants it. */
  subjects(request: RuleRequest & Pick<AccessRequest, 'project'>): readonly AccessSubject[] {
    const { project } = request;
    const found: AccessSubject[] = [];
    const look = (grants: Grants, subject: Pick<AccessSubject, 'kind' | 'name' | 'namespace'>): void => {
      const report = (grant: Grant, where: string | undefined): void => {
        if (grant.role.compiled?.allows(request) !== true) return;
        found.push({ ...subject, through: grant.through, ...(where !== undefined && { project: where }) });
      };
      for (const grant of grants.everywhere) report(grant, undefined);
      for (const grant of grants.in(project)) report(grant, project);
    };
    for (const [name, grants] of this.#grants.users) look(grants, subjectOfUser(name));
    for (const [name, grants] of this.#grants.groups) look(grants, { kind: 'Group', name });
    return found;
  }

  #first(
    grants: Grants | undefined,
    project: string | undefined,
    wanted: RuleRequest & Pick<AccessRequest, 'isProjectOnly'>,
  ): AccessDecision | undefined {
    if (grants === undefined) return undefined;
    if (wanted.isProjectOnly !== true)
      for (const { role, allow } of grants.everywhere) if (role.compiled?.allows(wanted) === true) return allow;
    for (const { role, allow } of grants.in(project)) if (role.compiled?.allows(wanted) === true) return allow;
    return undefined;
  }

  #role(key: string): KnownRole {
    const known = this.#roles.get(key) ?? { rules: undefined, compiled: undefined, bindings: 0 };
    this.#roles.set(key, known);
    return known;
  }

  #forget(key: string): void {
    const { rules, bindings } = this.#role(key);
    if (rules === undefined && bindings === 0) this.#roles.delete(key);
  }
}

/** Namespaces contain no slash, so keys of cluster-wide and namespaced roles never collide. */
const roleKey = (namespace: string | undefined, name: string): string => `${namespace ?? ''}/${name}`;

function refKey({ kind, name }: Immutable<Pick<RoleRef, 'kind' | 'name'>>, namespace: string | undefined): string {
  return kind === 'ClusterRole' ? roleKey(undefined, name) : roleKey(namespace, name);
}

function unique(roleSubjects: readonly RoleSubject[]): readonly RoleSubject[] {
  return [...new Map(roleSubjects.map((each) => [`${each.sort}/${each.name}`, each])).values()];
}
