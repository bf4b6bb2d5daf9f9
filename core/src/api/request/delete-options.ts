import type { DeleteOptions } from '../../ports/engine.js';
import { apiErrors } from '../errors.js';
import type { Exchange } from './exchange.js';
import { choiceParameter, countParameter, flagParameter } from './query-parameters.js';
import { headerInvalid, isDryRun, versionTag } from './write-parameters.js';

/** 68 years, so that the time of the deletion is a valid date. */
const graceSecondsMax = 2 ** 31 - 1;
const propagations = ['Foreground', 'Background', 'Orphan'] as const;

type Body = Readonly<Record<string, unknown>>;

/**
 * Reads delete options from the query and the body. Options that contradict each other are refused: whichever took precedence, the object
 * could be deleted in a way that its caller excluded.
 *
 * @throws TAP_REQUEST_PARAMETER_INVALID, TAP_REQUEST_BODY_INVALID, TAP_REQUEST_HEADER_INVALID
 */
export function deleteOptions(exchange: Exchange, body: Body): DeleteOptions & { readonly dryRun: boolean } {
  const { query } = exchange;
  const propagationPolicy = propagationOf(query, body);
  const gracePeriodSeconds = agreed(
    'gracePeriodSeconds',
    countParameter(query, 'gracePeriodSeconds', graceSecondsMax),
    seconds(body['gracePeriodSeconds']),
  );
  const preconditions = preconditionsOf(body['preconditions']);
  refuseOtherVersion(versionTag(exchange.header('if-match')), preconditions?.resourceVersion);
  return {
    ...(propagationPolicy !== undefined && { propagationPolicy }),
    ...(gracePeriodSeconds !== undefined && { gracePeriodSeconds }),
    ...(preconditions !== undefined && { preconditions }),
    dryRun: isDryRun(query) || isDryRunList(body['dryRun']),
  };
}

/**
 * Refuses conditions on the deletion of a collection: a version or uid belongs to one object, so all others would fail the condition.
 *
 * @throws TAP_REQUEST_HEADER_INVALID, TAP_REQUEST_BODY_INVALID
 */
export function refuseObjectConditions(exchange: Exchange, { preconditions }: DeleteOptions): void {
  const header = ['If-Match', 'If-None-Match'].find((name) => exchange.header(name.toLowerCase()) !== undefined);
  if (header !== undefined) throw headerInvalid(header, conditionOnCollection);
  if (preconditions?.uid !== undefined || preconditions?.resourceVersion !== undefined)
    throw bodyInvalid('preconditions', conditionOnCollection);
}

const conditionOnCollection = 'a collection is deleted without conditions; delete the object by its name, or select by labels and fields';

/** Reads the policy, or the field that Kubernetes had before it; as kube-apiserver, it refuses both at once even if they mean the same. */
function propagationOf(query: URLSearchParams, body: Body): DeleteOptions['propagationPolicy'] {
  const policy = agreed(
    'propagationPolicy',
    choiceParameter(query, 'propagationPolicy', propagations),
    oneOf(propagations, body['propagationPolicy'], 'propagationPolicy'),
  );
  const inQuery = query.has('orphanDependents') ? flagParameter(query, 'orphanDependents') : undefined;
  const orphans = agreed('orphanDependents', inQuery, flag(body['orphanDependents'], 'orphanDependents'));
  if (orphans === undefined) return policy;
  if (policy === undefined) return orphans ? 'Orphan' : 'Background';
  throw bodyInvalid('orphanDependents', `expected none beside propagationPolicy, found ${orphans} beside ${policy}`);
}

/** Returns the option from the query or the body. @throws TAP_REQUEST_BODY_INVALID when both have it and differ */
function agreed<T extends string | number | boolean>(name: string, inQuery: T | undefined, inBody: T | undefined): T | undefined {
  if (inQuery === undefined || inBody === undefined || inQuery === inBody) return inBody ?? inQuery;
  throw bodyInvalid(name, `expected the same as query parameter ${name}, which is ${inQuery}, found ${inBody}`);
}

/** @throws TAP_REQUEST_BODY_INVALID */
function refuseOtherVersion(ifMatch: string | undefined, resourceVersion: string | undefined): void {
  if (ifMatch === undefined || ifMatch === '*' || resourceVersion === undefined || ifMatch === resourceVersion) return;
  const found = `expected the same as header If-Match, which is "${ifMatch}", found "${resourceVersion}"`;
  throw bodyInvalid('preconditions.resourceVersion', found);
}

function oneOf<const C extends string>(choices: readonly C[], value: unknown, field: string): C | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  const choice = choices.find((each) => each === value);
  if (choice === undefined) throw bodyInvalid(field, `expected ${choices.join(' or ')}`);
  return choice;
}

function flag(value: unknown, field: string): boolean | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'boolean') throw bodyInvalid(field, 'expected true or false');
  return value;
}

function seconds(value: unknown): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0 || value > graceSecondsMax) {
    throw bodyInvalid('gracePeriodSeconds', `expected an integer from 0 to ${graceSecondsMax}`);
  }
  return value;
}

function preconditionsOf(value: unknown): DeleteOptions['preconditions'] {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'object' || Array.isArray(value)) throw bodyInvalid('preconditions', 'expected an object');
  const { uid, resourceVersion } = value as { readonly uid?: unknown; readonly resourceVersion?: unknown };
  for (const [name, each] of Object.entries({ uid, resourceVersion })) {
    if (each !== undefined && each !== null && typeof each !== 'string') throw bodyInvalid(`preconditions.${name}`, 'expected a string');
  }
  return { ...(typeof uid === 'string' && { uid }), ...(typeof resourceVersion === 'string' && { resourceVersion }) };
}

function isDryRunList(value: unknown): boolean {
  if (value === undefined || value === null) return false;
  if (!Array.isArray(value) || value.some((each) => each !== 'All')) throw bodyInvalid('dryRun', 'expected a list of "All"');
  return value.length > 0;
}

function bodyInvalid(field: string, problem: string): Error {
  return apiErrors.TAP_REQUEST_BODY_INVALID({ message: `delete options: ${field}: ${problem}`, field });
}
