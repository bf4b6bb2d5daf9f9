import { type Authorizer } from '@tappaas/sdk';
import { createAccess, type Access, type Places } from '../../dist/access/access.js';
import { accessRules } from '../../dist/access/access-rules.js';
import { createAccessReviews, type AccessReviews } from '../../dist/access/access-reviews.js';

/** Namespaces that belong to nobody. */
export const nowhere: Places = {
  now: () => ({}),
  settled: () => ({}),
  isSuspended: () => false,
  labels: () => undefined,
  owners: { fields: () => undefined, now: () => undefined, settled: () => Promise.resolve(undefined) },
  spansNamespaces: () => false,
  isShared: () => false,
};

/** The access stage with these authorizers, all of which run unless said otherwise. */
export function accessOf(authorizers: readonly Authorizer[] = [], places = nowhere, missing: readonly string[] = []): Access {
  return createAccess({ authorizers: () => authorizers, missing: () => missing, places });
}

const isOfCluster = ({ plural }: { readonly plural: string }): boolean => plural === 'nodes' || plural === 'tenants';

/** The reviews of the platform's engine, answered by that stage. */
export function reviewsOf(access: Access, authorizers: readonly Authorizer[] = []): AccessReviews {
  const sources = { access, authorizers: () => authorizers, engine: 'platform' };
  const rules = (caller: Parameters<typeof accessRules>[1], namespace: string) => accessRules(sources, caller, namespace);
  return createAccessReviews({ engine: 'platform', authorize: access.authorize, placed: access.placed, isOfCluster, rules });
}
