import { followKind, type Follower, type FollowParts, type Immutable } from '@tappaas/sdk';
import type { ClusterRole } from '@tappaas/sdk/kubernetes';
import { ClusterRoleBindings, ClusterRoles, RoleBindings, Roles } from './kinds.js';
import type { RoleIndex } from './role-index.js';

const kinds = [Roles, ClusterRoles, RoleBindings, ClusterRoleBindings];

/** Keeps the index in sync with roles and bindings. */
export class FollowedRoles {
  readonly #index: RoleIndex;
  readonly #clusterRoles = new Map<string, Immutable<ClusterRole>>();
  /** The kinds whose objects are unknown at present, with the reason. */
  readonly #problems = new Map(kinds.map(({ kind }) => [kind, 'they are not known yet']));
  readonly #known = Promise.withResolvers<void>();

  constructor(index: RoleIndex) {
    this.#index = index;
  }

  /** Why no decision is possible at present; undefined when all kinds are known. */
  get problem(): string | undefined {
    return this.#problems.size === 0 ? undefined : [...this.#problems].map(([kind, reason]) => `${kind} objects: ${reason}`).join('; ');
  }

  get clusterRoles(): readonly Immutable<ClusterRole>[] {
    return [...this.#clusterRoles.values()];
  }

  /** Resolves when all kinds are known for the first time. */
  get known(): Promise<void> {
    return this.#known.promise;
  }

  /** Follows until the signal aborts. */
  start(parts: FollowParts): void {
    const index = this.#index;
    void followKind(parts, Roles, {
      put: ({ metadata: { namespace, name = '' }, rules }) => index.setRole(namespace, name, rules ?? []),
      removed: ({ namespace, name }) => index.removeRole(namespace, name),
      problem: this.#problemOf(Roles.kind),
    });
    void followKind(parts, ClusterRoles, this.#takeClusterRoles());
    void followKind(parts, RoleBindings, {
      put: ({ metadata: { namespace, name = '' }, roleRef, subjects = [] }) => index.setBinding({ namespace, name, roleRef, subjects }),
      removed: ({ namespace, name }) => index.removeBinding(namespace, name),
      problem: this.#problemOf(RoleBindings.kind),
    });
    void followKind(parts, ClusterRoleBindings, {
      put: ({ metadata: { name = '' }, roleRef, subjects = [] }) => index.setBinding({ namespace: undefined, name, roleRef, subjects }),
      removed: ({ name }) => index.removeBinding(undefined, name),
      problem: this.#problemOf(ClusterRoleBindings.kind),
    });
  }

  #takeClusterRoles(): Follower<ClusterRole> {
    return {
      put: (role) => {
        const { name = '' } = role.metadata;
        this.#clusterRoles.set(name, role);
        this.#index.setRole(undefined, name, role.rules ?? []);
      },
      removed: ({ name }) => {
        this.#clusterRoles.delete(name);
        this.#index.removeRole(undefined, name);
      },
      problem: this.#problemOf(ClusterRoles.kind),
    };
  }

  #problemOf(kind: string): (reason: string | undefined) => void {
    return (reason) => {
      if (reason === undefined) this.#problems.delete(kind);
      else this.#problems.set(kind, reason);
      if (this.#problems.size === 0) this.#known.resolve();
    };
  }
}
