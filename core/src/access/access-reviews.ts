import { type AccessRequest, type AccessRules, type AccessScope, type Caller, scopeExtras, tenantLabel } from '@tappaas/sdk';
import type { Access } from './access.js';
import { accessErrors } from './errors.js';
import { isNamespace } from './tenant-boundary.js';
import type { AccessQuestion, Verdict } from '../ports/access.js';

/** The context of a review. */
export interface ReviewRequest {
  readonly caller: Caller;
  readonly namespace: string | undefined;
}

/** A review as received or returned. */
export type ReviewObject = Readonly<Record<string, unknown>>;

/** Handles the create of a review; returns it with its status. */
export type Review = (review: ReviewObject, request: ReviewRequest) => Promise<ReviewObject>;

/** The reviews of this stage, by kind. */
export interface AccessReviews {
  readonly subjectAccessReview: Review;
  readonly localSubjectAccessReview: Review;
  readonly selfSubjectAccessReview: Review;
  readonly selfSubjectRulesReview: Review;
}

export interface AccessReviewOptions {
  /** Name of the engine that the review is about. */
  readonly engine: string;
  readonly authorize: (question: AccessQuestion) => Verdict | Promise<Verdict>;
  readonly placed: Access['placed'];
  /** Whether a kind is cluster-scoped, regardless of the version. */
  readonly isOfCluster: (kind: { readonly group: string; readonly plural: string }) => boolean;
  /** Returns everything that a caller may do in a namespace of the engine. */
  readonly rules: (caller: Caller, namespace: string) => Promise<AccessRules>;
}

type Extra = Readonly<Record<string, readonly string[] | undefined>>;

interface AccessReview {
  readonly metadata?: { readonly namespace?: string };
  readonly spec?: {
    readonly user?: string;
    readonly groups?: readonly string[];
    readonly extra?: Extra;
    readonly namespace?: string;
    readonly resourceAttributes?: Readonly<Record<string, string | undefined>>;
    readonly nonResourceAttributes?: { readonly path?: string; readonly verb?: string };
  };
}

/** Makes the reviews of `authorization.k8s.io`. */
export function createAccessReviews(options: AccessReviewOptions): AccessReviews {
  const decide = async (review: ReviewObject, caller: Caller): Promise<ReviewObject> => {
    const { decision, reason } = await options.authorize({ ...requestOf(review, caller, options.engine), canNarrow: true, isReview: true });
    const status = { allowed: decision === 'allow', ...(decision === 'deny' && { denied: true }), ...(reason !== '' && { reason }) };
    return { ...review, status };
  };
  return {
    selfSubjectAccessReview: (review, { caller }) => decide(review, caller),
    subjectAccessReview: async (review) => decide(review, subjectOf(review)),
    localSubjectAccessReview: async (review, { namespace }) => {
      const subject = subjectOf(review);
      refuseBeyond(namespace, subject, (review as AccessReview).spec?.resourceAttributes, options);
      return decide(review, subject);
    },
    selfSubjectRulesReview: async (review, { caller }) => rulesReview(review, caller, options),
  };
}

/**
 * Limits reviews in a namespace to that namespace: questions about other places, or about users of another tenant, require permission to
 * review everything. @throws TAP_REVIEW_INVALID
 */
function refuseBeyond(
  namespace: string | undefined,
  { tenant }: Caller,
  {
    group = '',
    resource: plural = '',
    name,
    namespace: requestedNamespace,
  }: NonNullable<NonNullable<AccessReview['spec']>['resourceAttributes']> = {},
  { engine, placed, isOfCluster }: AccessReviewOptions,
): void {
  const own = namespace ?? '';
  const attributes = 'spec.resourceAttributes';
  if (requestedNamespace !== namespace) throw invalid(`${attributes}.namespace`, `expected the namespace of the request, "${own}"`);
  if (isNamespace({ group, plural })) {
    if (name !== namespace) throw invalid(`${attributes}.name`, `expected the namespace of the request, "${own}", found "${name ?? ''}"`);
  } else if (isOfCluster({ group, plural })) {
    throw invalid(`${attributes}.resource`, `expected a kind that lies in namespaces, found "${plural}"; ask by a SubjectAccessReview`);
  }
  const place = placed({ engine, resource: { group: '', version: 'v1', plural: 'namespaces', name: own } });
  if (tenant !== undefined && tenant !== place.tenant)
    throw invalid(`spec.extra[${tenantLabel}]`, `expected the tenant of the namespace, found "${tenant}"; ask by a SubjectAccessReview`);
}

async function rulesReview(review: ReviewObject, caller: Caller, { rules }: AccessReviewOptions): Promise<ReviewObject> {
  const namespace = (review as AccessReview).spec?.namespace;
  if (namespace === undefined || namespace === '') throw invalid('spec.namespace', 'expected a namespace');
  const { incomplete, ...lists } = await rules(caller, namespace);
  const status = { ...lists, incomplete: incomplete !== undefined, ...(incomplete !== undefined && { evaluationError: incomplete }) };
  return { ...review, status };
}

function subjectOf(review: ReviewObject): Caller {
  const { user, groups = [], extra } = (review as AccessReview).spec ?? {};
  if ((user === undefined || user === '') && groups.length === 0) throw invalid('spec.user', 'expected a user or groups');
  const tenants = extra?.[tenantLabel] ?? [];
  if (tenants.length > 1) throw invalid(`spec.extra[${tenantLabel}]`, `expected one tenant, found ${tenants.length}`);
  const [tenant] = tenants;
  const scope = scopeOf(extra);
  return { name: user ?? '', groups, ...(tenant !== undefined && { tenant }), ...(scope !== undefined && { scope }) };
}

/** Returns the scope. An empty list, in whatever notation, permits nothing, as in a token. */
function scopeOf(extra: Extra = {}): AccessScope | undefined {
  const listed = (name: string): readonly string[] | undefined => (name in extra ? (extra[name] ?? []) : undefined);
  const namespaces = listed(scopeExtras.namespaces);
  const verbs = listed(scopeExtras.verbs);
  if (namespaces === undefined && verbs === undefined) return undefined;
  return { ...(namespaces !== undefined && { namespaces }), ...(verbs !== undefined && { verbs }) };
}

function requestOf(review: ReviewObject, caller: Caller, engine: string): AccessRequest {
  const { spec } = review as AccessReview;
  const resource = spec?.resourceAttributes;
  const other = spec?.nonResourceAttributes;
  if ((resource === undefined) === (other === undefined)) {
    throw invalid('spec', 'expected exactly one of resourceAttributes and nonResourceAttributes');
  }
  if (resource === undefined) return { caller, engine, verb: other?.verb ?? '', path: other?.path ?? '' };
  const { group = '', version = '', resource: plural = '', subresource, namespace, name, verb = '' } = resource;
  return {
    caller,
    engine,
    verb,
    resource: { group, version, plural, ...(subresource && { subresource }), ...(namespace && { namespace }), ...(name && { name }) },
  };
}

function invalid(field: string, problem: string): Error {
  return accessErrors.TAP_REVIEW_INVALID({ message: `${field}: ${problem}`, field });
}
