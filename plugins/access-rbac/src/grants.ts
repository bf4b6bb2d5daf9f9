import type { AccessDecision } from '@tappaas/sdk';
import type { CompiledRules, Rule } from './rule.js';

/** A role, and its rules while it exists; bindings hold on to it, so a change of its rules is one change. */
export interface KnownRole {
  rules: readonly Rule[] | undefined;
  compiled: CompiledRules | undefined;
  /** Bindings that refer to it: a name that nobody refers to and that has no rules is forgotten. */
  bindings: number;
}

/** What one binding gives one addressee. */
export interface Grant {
  readonly role: KnownRole;
  /** Which binding it comes from. */
  readonly binding: string;
  /** Such as `RoleBinding "a/devs" of ClusterRole "developer"`. */
  readonly through: string;
  readonly allow: AccessDecision;
}

const none: readonly Grant[] = [];

/** Everything that bindings give to one user or group. Lists are replaced, never changed: readers need no copies. */
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
