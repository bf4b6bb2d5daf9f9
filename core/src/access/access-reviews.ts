import type { AccessRequest, AccessRules, Caller } from '@tappaas/sdk';
import { accessErrors } from './errors.js';
import type { AccessQuestion, Verdict } from './verdict.js';

/** What a review is asked with. */
export interface ReviewRequest {
  readonly caller: Caller;
  readonly namespace: string | undefined;
}

/** A review as it was sent or is answered. */
export type ReviewObject = Readonly<Record<string, unknown>>;

/** Answers the create of a review: what was sent, with its status. */
export type Review = (review: ReviewObject, request: ReviewRequest) => Promise<ReviewObject>;

/** The reviews that this stage answers, by kind. */
export interface AccessReviews {
  readonly subjectAccessReview: Review;
  readonly localSubjectAccessReview: Review;
  readonly selfSubjectAccessReview: Review;
  readonly selfSubjectRulesReview: Review;
}

export interface AccessReviewOptions {
  /** Name of the engine that is asked about. */
  readonly engine: string;
  readonly authorize: (question: AccessQuestion) => Verdict | Promise<Verdict>;
  /** Everything that a caller may do in a namespace of the engine. */
  readonly rules: (caller: Caller, namespace: string) => Promise<AccessRules>;
}

/** Where a review, and a header of impersonation, names the tenant of somebody. */
const tenantExtra = 'tappaas.dev/tenant';

interface AccessReview {
  readonly metadata?: { readonly namespace?: string };
  readonly spec?: {
    readonly user?: string;
    readonly groups?: readonly string[];
    readonly extra?: Readonly<Record<string, readonly string[] | undefined>>;
    readonly namespace?: string;
    readonly resourceAttributes?: Readonly<Record<string, string | undefined>>;
    readonly nonResourceAttributes?: { readonly path?: string; readonly verb?: string };
  };
}

/** Answers the reviews of `authorization.k8s.io`. */
export function createAccessReviews(options: AccessReviewOptions): AccessReviews {
  const decide = async (review: ReviewObject, caller: Caller): Promise<ReviewObject> => {
    const { decision, reason } = await options.authorize({ ...askedOf(review, caller, options.engine), canNarrow: true });
    const status = { allowed: decision === 'allow', ...(decision === 'deny' && { denied: true }), ...(reason !== '' && { reason }) };
    return { ...review, status };
  };
  return {
    selfSubjectAccessReview: (review, { caller }) => decide(review, caller),
    subjectAccessReview: async (review) => decide(review, subjectOf(review)),
    localSubjectAccessReview: async (review, { namespace }) => {
      const asked = (review as AccessReview).spec?.resourceAttributes?.['namespace'];
      if (asked !== namespace)
        throw invalid('spec.resourceAttributes.namespace', `expected the namespace of the request, "${namespace ?? ''}"`);
      return decide(review, subjectOf(review));
    },
    selfSubjectRulesReview: async (review, { caller }) => rulesReview(review, caller, options),
  };
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
  const tenants = extra?.[tenantExtra] ?? [];
  if (tenants.length > 1) throw invalid(`spec.extra[${tenantExtra}]`, `expected one tenant, found ${tenants.length}`);
  const [tenant] = tenants;
  return { name: user ?? '', groups, ...(tenant !== undefined && { tenant }) };
}

function askedOf(review: ReviewObject, caller: Caller, engine: string): AccessRequest {
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
