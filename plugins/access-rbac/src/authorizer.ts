import { atOnce, type Authorizer } from '@tappaas/sdk';
import type { FollowedRoles } from './followed-roles.js';
import type { RoleIndex } from './role-index.js';
import { isAboutPaths } from './rule.js';

/** Decides by roles alone: allows or has no opinion, and denies everything while the roles are unknown. */
export function roleAuthorizer(index: RoleIndex, followed: Pick<FollowedRoles, 'problem'>): Authorizer {
  return {
    knowsProjects: true,
    get revision() {
      return followed.problem === undefined ? index.revision : undefined;
    },
    authorize: atOnce((request) => {
      const { problem } = followed;
      return problem === undefined ? index.decide(request) : { decision: 'deny', reason: `RBAC: ${problem}` };
    }),
    rules({ caller, project, isProjectOnly }) {
      const rules = index.rulesFor(caller, project, isProjectOnly);
      const { problem } = followed;
      return {
        resourceRules: rules.filter((rule) => rule.resources !== undefined),
        nonResourceRules: rules.filter(isAboutPaths),
        ...(problem !== undefined && { incomplete: problem }),
      };
    },
    subjects: (request) => index.subjects(request),
  };
}
