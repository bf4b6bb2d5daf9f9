import { tenantLabel } from '@tappaas/sdk';
import { auditErrors } from './errors.js';

/** Conditions on events; absent ones match everything. */
export interface AuditQuery {
  /** The authenticated or impersonated user. */
  readonly user?: string;
  readonly verb?: string;
  /** Plural, or `plural/part`. */
  readonly resource?: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly requestId?: string;
  readonly tenant?: string;
  readonly code?: number;
  readonly sinceMs?: number;
  readonly untilMs?: number;
}

/** The part of the log to search. */
export interface AuditRange {
  readonly limit: number;
  /** Only lines before this number. */
  readonly before: number;
  /** Only lines after this number. */
  readonly after: number;
  readonly chain?: string;
}

/** The members of an event that queries and tables use. */
export interface AuditedEvent {
  readonly auditID: string;
  readonly stage: string;
  readonly verb: string;
  readonly requestURI: string;
  readonly user?: { readonly username?: string };
  readonly impersonatedUser?: { readonly username?: string };
  readonly sourceIPs?: readonly string[];
  readonly objectRef?: {
    readonly resource?: string;
    readonly namespace?: string;
    readonly name?: string;
    readonly subresource?: string;
  };
  readonly responseStatus?: { readonly code?: number };
  readonly requestReceivedTimestamp: string;
  readonly stageTimestamp: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

const limitDefault = 100;
const limitMax = 1_000;
const texts = ['user', 'verb', 'resource', 'namespace', 'name', 'requestId', 'tenant', 'since', 'until', 'chain'] as const;
const numbers = ['code', 'limit', 'before', 'after'] as const;
const known: ReadonlySet<string> = new Set([...texts, ...numbers]);

/** Parses a query from parameters. @throws TAP_AUDIT_QUERY_INVALID */
export function auditQuery(parameters: Readonly<Record<string, string>>): { readonly query: AuditQuery; readonly range: AuditRange } {
  const unknown = Object.keys(parameters).find((name) => !known.has(name));
  if (unknown !== undefined) throw invalid(unknown, `is unknown; there are ${[...known].join(', ')}`);
  const { user, verb, resource, namespace, name, requestId, tenant, since, until, chain } = parameters;
  const number = (of: (typeof numbers)[number]): number | undefined => {
    const text = parameters[of];
    if (text === undefined) return undefined;
    if (!/^\d{1,15}$/.test(text)) throw invalid(of, `expected a number, found "${text.slice(0, 40)}"`);
    return Number(text);
  };
  const limit = number('limit') ?? limitDefault;
  if (limit < 1 || limit > limitMax) throw invalid('limit', `expected 1 to ${limitMax}, found ${limit}`);
  return {
    query: {
      user,
      verb,
      resource,
      namespace,
      name,
      requestId,
      tenant,
      code: number('code'),
      sinceMs: time('since', since),
      untilMs: time('until', until),
    },
    range: { limit, before: number('before') ?? Infinity, after: number('after') ?? 0, ...(chain !== undefined && { chain }) },
  };
}

/** Whether an event matches a query. */
export function matches(query: AuditQuery, event: AuditedEvent): boolean {
  const { objectRef: about = {}, responseStatus, annotations = {} } = event;
  const resource = about.subresource === undefined ? about.resource : `${about.resource}/${about.subresource}`;
  const same = (asked: string | number | undefined, ...found: readonly (string | number | undefined)[]) =>
    asked === undefined || found.includes(asked);
  return (
    same(query.user, event.user?.username, event.impersonatedUser?.username) &&
    same(query.verb, event.verb) &&
    same(query.resource, resource, about.resource) &&
    same(query.namespace, about.namespace) &&
    same(query.name, about.name) &&
    same(query.requestId, event.auditID) &&
    same(query.tenant, annotations[tenantLabel]) &&
    same(query.code, responseStatus?.code) &&
    (query.sinceMs === undefined || Date.parse(event.stageTimestamp) >= query.sinceMs) &&
    (query.untilMs === undefined || Date.parse(event.stageTimestamp) <= query.untilMs)
  );
}

function time(parameter: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const ms = Date.parse(text);
  if (Number.isNaN(ms)) throw invalid(parameter, `expected a time as in ISO 8601, found "${text.slice(0, 40)}"`);
  return ms;
}

function invalid(parameter: string, problem: string): Error {
  return auditErrors.TAP_AUDIT_QUERY_INVALID({ message: `parameter ${parameter} ${problem}`, field: parameter });
}
