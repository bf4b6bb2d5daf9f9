import { type AccessDecision, type AccessRequest, type AccessRules, administratorsGroup } from '@tappaas/sdk';

const enginePrefix = 'system:engine:';

const allow = (reason: string): AccessDecision => ({ decision: 'allow', reason });
const ofAdministrators = allow('the caller is an administrator');
const ofEngine = allow('the caller is a process of this engine');
const toAuthenticated = allow('every authenticated caller may');

/** Its response contains only what the caller may list. */
const whoCanPath = '/plugins/platform/who-can';
/** Lists which instance serves which route, but no data of objects. */
const routesPath = '/plugins/platform/routes';

/** What every caller may request: discovery, and reviews about itself. */
const discovery = /^\/(?:api|apis|openapi|version|livez|healthz|readyz|socket\.io)(?:\/|$)/;
const selfReviews: ReadonlyMap<string, readonly string[]> = new Map([
  ['authorization.k8s.io', ['selfsubjectaccessreviews', 'selfsubjectrulesreviews']],
  ['authentication.k8s.io', ['selfsubjectreviews']],
]);

/** GraphQL authorizes each object that an operation touches, so access to the endpoint grants nothing. */
const graphql = '/graphql';

/** Returns the decision that is independent of authorizers; undefined when they must decide. */
export function builtInDecision(request: AccessRequest): AccessDecision | undefined {
  const { groups } = request.caller;
  if (groups.includes(administratorsGroup)) return ofAdministrators;
  if (groups.includes(enginePrefix + request.engine)) return ofEngine;
  return isEverybodys(request) ? toAuthenticated : undefined;
}

/** Whether every authenticated caller may do it. */
export function isEverybodys({ verb, resource, path }: AccessRequest): boolean {
  if (path === graphql) return verb === 'get' || verb === 'post';
  if (path !== undefined)
    return (verb === 'get' || verb === 'head') && (path === whoCanPath || path === routesPath || discovery.test(path));
  if (resource === undefined || verb !== 'create') return false;
  return selfReviews.get(resource.group)?.includes(resource.plural) === true && resource.subresource === undefined;
}

/** The rules for everyone, which every scope includes. */
export const everybodysRules: AccessRules = {
  resourceRules: [...selfReviews].map(([group, resources]) => ({ verbs: ['create'], apiGroups: [group], resources })),
  nonResourceRules: [
    {
      verbs: ['get'],
      nonResourceURLs: [
        '/api',
        '/api/*',
        '/apis',
        '/apis/*',
        '/healthz',
        '/livez',
        '/openapi',
        '/openapi/*',
        whoCanPath,
        routesPath,
        '/readyz',
        '/socket.io/',
        '/version',
      ],
    },
    { verbs: ['get', 'post'], nonResourceURLs: [graphql] },
  ],
};

/** Returns the built-in rules as they are listed to the caller. */
export function builtInRules(groups: readonly string[], engine: string): AccessRules {
  if (mayEverything(groups, engine)) {
    return {
      resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }],
      nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
    };
  }
  return everybodysRules;
}

/** Whether the caller has all rights regardless of authorizers. */
export function mayEverything(groups: readonly string[], engine: string): boolean {
  return groups.includes(administratorsGroup) || groups.includes(enginePrefix + engine);
}
