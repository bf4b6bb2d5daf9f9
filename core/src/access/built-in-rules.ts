import type { AccessDecision, AccessRequest } from '@tappaas/sdk';

const administrators = 'system:masters';
const enginePrefix = 'system:engine:';

const allow = (reason: string): AccessDecision => ({ decision: 'allow', reason });
const ofAdministrators = allow('the caller is an administrator');
const ofEngine = allow('the caller is a process of this engine');
const ofEverybody = allow('everybody who is authenticated may');

/** What everybody may ask: what is served here, and about themselves. */
const discovery = /^\/(?:api|apis|openapi|version|livez|readyz)(?:\/|$)/;
const selfReviews: Readonly<Record<string, readonly string[]>> = {
  'authorization.k8s.io': ['selfsubjectaccessreviews', 'selfsubjectrulesreviews'],
  'authentication.k8s.io': ['selfsubjectreviews'],
};

/** What holds without any authorizer; nothing when it is theirs to say. */
export function builtInDecision({ caller, engine, verb, resource, path }: AccessRequest): AccessDecision | undefined {
  const { groups } = caller;
  if (groups.includes(administrators)) return ofAdministrators;
  if (groups.includes(enginePrefix + engine)) return ofEngine;
  if (path !== undefined) return (verb === 'get' || verb === 'head') && discovery.test(path) ? ofEverybody : undefined;
  if (resource === undefined || verb !== 'create') return undefined;
  return selfReviews[resource.group]?.includes(resource.plural) === true && resource.subresource === undefined ? ofEverybody : undefined;
}

/** The same rules as they are listed to the caller. */
export function builtInRules(groups: readonly string[], engine: string): AccessRules {
  if (groups.includes(administrators) || groups.includes(enginePrefix + engine)) {
    return {
      resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }],
      nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
      isComplete: true,
    };
  }
  return {
    resourceRules: Object.entries(selfReviews).map(([group, resources]) => ({ verbs: ['create'], apiGroups: [group], resources })),
    nonResourceRules: [
      {
        verbs: ['get'],
        nonResourceURLs: ['/api', '/api/*', '/apis', '/apis/*', '/livez', '/openapi', '/openapi/*', '/readyz', '/version'],
      },
    ],
    isComplete: true,
  };
}

/** What a caller may do, as lists. */
export interface AccessRules {
  readonly resourceRules: readonly object[];
  readonly nonResourceRules: readonly object[];
  /** False when an authorizer cannot list its rules. */
  readonly isComplete: boolean;
}
