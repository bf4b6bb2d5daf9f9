import { followKind, type FollowParts } from '@tappaas/sdk';
import { Policy } from './contract.js';
import { PolicySet } from './policy-set.js';

/** Keeps the policy sets in sync with the Policy objects. */
export class FollowedPolicies {
  readonly enforced = new PolicySet();
  readonly shadowed = new PolicySet();
  /** Why the policies are unknown at present; undefined once they are known. */
  problem: string | undefined = 'they are not known yet';
  readonly #known = Promise.withResolvers<void>();

  /** Resolves when all policies are known for the first time. */
  get known(): Promise<void> {
    return this.#known.promise;
  }

  /** Follows until the signal aborts. */
  start(parts: FollowParts): void {
    void followKind(parts, Policy, {
      put: ({ metadata: { name }, spec: { cedar, mode } }) => {
        const [own, other] = mode === 'Shadow' ? [this.shadowed, this.enforced] : [this.enforced, this.shadowed];
        other.delete(name);
        own.put(name, cedar);
      },
      removed: ({ name }) => {
        this.enforced.delete(name);
        this.shadowed.delete(name);
      },
      problem: (reason) => {
        this.problem = reason;
        if (reason === undefined) this.#known.resolve();
      },
    });
  }
}
