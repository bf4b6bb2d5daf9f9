import type { AccessDecision } from '@tappaas/sdk';
import type { CompiledRules, Rule } from './rule.js';

/**
 * A role that exists or that bindings refer to, with its rules if it exists. Bindings share this object, so changing a
 * role's rules is a single assignment.
 */
export interface KnownRole {
  rules: readonly Rule[] | undefined;
  compiled: CompiledRules | undefined;
  /** Number of bindings that refer to it; a role with no bindings and no rules is dropped from the index. */
  bindings: number;
}

/** What one binding grants to one user or group. */
export interface Grant {
  readonly role: KnownRole;
  /** Key of the binding. */
  readonly binding: string;
  /** Description of the binding, such as `RoleBinding "a/devs" of ClusterRole "developer"`. */
  readonly through: string;
  readonly allow: AccessDecision;
}

const none: readonly Grant[] = [];

/** All grants of one user or group. Lists are replaced, never modified, so readers need no copies. */
export class Grants {
  everywhere: readonly Grant[] = none;
  readonly #byProject = new Map<string, readonly Grant[]>();

  in(project: string | undefined): readonly Grant[] {
    return project === undefined ? none : (this.#byProject.get(project) ?? none);
  }

  add(project: string | undefined, grant: Grant): void {
    if (project === undefined) this.everywhere = [...this.everywhere, grant];
    else this.#byProject.set(project, [...this.in(project), grant]);
  }

  remove(project: string | undefined, binding: string): void {
    const isOther = (grant: Grant): boolean => grant.binding !== binding;
    if (project === undefined) {
      this.everywhere = this.everywhere.filter(isOther);
      return;
    }
    const left = this.in(project).filter(isOther);
    if (left.length === 0) this.#byProject.delete(project);
    else this.#byProject.set(project, left);
  }

  get isEmpty(): boolean {
    return this.everywhere.length === 0 && this.#byProject.size === 0;
  }
}
