import type { ActionRequest } from '../contributions.js';
import type { PatchType, ServedKind, WriteOptions } from '../../ports/engine.js';
import { apiErrors } from '../errors.js';
import type { Exchange } from './exchange.js';
import { choiceParameter, invalid, textParameter } from './query-parameters.js';

const managerCharsMax = 128;
const keyCharsMax = 255;
const printable = /^[\x20-\x7e]+$/;

/** Returns the options and conditions of a write. @throws TAP_REQUEST_PARAMETER_INVALID, TAP_REQUEST_HEADER_INVALID */
export function writeOptions(exchange: Exchange, kind: ServedKind): WriteOptions {
  const { query } = exchange;
  const ifMatch = versionTag(exchange.header('if-match'));
  const ifNoneMatch = exchange.header('if-none-match');
  if (ifNoneMatch !== undefined && ifNoneMatch !== '*') throw headerInvalid('If-None-Match', 'a write knows only "*"');
  const idempotencyKey = idempotencyKeyOf(exchange);
  return {
    caller: exchange.caller,
    requestId: exchange.requestId,
    signal: exchange.signal,
    dryRun: isDryRun(query),
    // As kube-apiserver for Kubernetes' own kinds; our kinds refuse unknown fields.
    fieldValidation: choiceParameter(query, 'fieldValidation', ['Strict', 'Warn', 'Ignore']) ?? (kind.strategicMerge ? 'Warn' : 'Strict'),
    fieldManager: fieldManager(exchange),
    ...(ifMatch === '*' ? { mustExist: true } : ifMatch !== undefined && { ifMatch }),
    ...(ifNoneMatch !== undefined && { ifNoneMatch: true }),
    ...(idempotencyKey !== undefined && { idempotencyKey }),
  };
}

/** Keys are kept for POST only; ignoring one elsewhere would let a client repeat a change that is then done twice (docs/decisions/0316). */
function idempotencyKeyOf(exchange: Exchange): string | undefined {
  const key = exchange.header('idempotency-key');
  const { method } = exchange.request;
  if (key !== undefined && method !== 'POST')
    throw headerInvalid('Idempotency-Key', `expected on POST only, found on ${method}; to repeat it safely, send If-Match instead`);
  if (key !== undefined && (key.length > keyCharsMax || !printable.test(key))) {
    throw headerInvalid('Idempotency-Key', `expected 1 to ${keyCharsMax} printable ASCII characters`);
  }
  return key;
}

/** Returns the options and conditions of an action. @throws TAP_REQUEST_PARAMETER_INVALID, TAP_REQUEST_HEADER_INVALID */
export function actionOptions(exchange: Exchange): Pick<ActionRequest, 'dryRun' | 'expectedVersion' | 'idempotencyKey'> {
  if (exchange.header('if-none-match') !== undefined) throw headerInvalid('If-None-Match', 'an action is done to an object that is there');
  const tag = versionTag(exchange.header('if-match'));
  // `*` adds nothing: an action always requires an existing object.
  const expectedVersion = tag === '*' ? undefined : tag;
  const idempotencyKey = idempotencyKeyOf(exchange);
  return {
    dryRun: isDryRun(exchange.query),
    ...(expectedVersion !== undefined && { expectedVersion }),
    ...(idempotencyKey !== undefined && { idempotencyKey }),
  };
}

const conditions = ['If-Match', 'If-None-Match', 'Idempotency-Key'];

/** Refuses conditions that would be silently ignored. @throws TAP_REQUEST_HEADER_INVALID */
export function refuseConditions(exchange: Exchange): void {
  const given = conditions.find((name) => exchange.header(name.toLowerCase()) !== undefined);
  if (given !== undefined) throw headerInvalid(given, 'this part of the object knows no conditions and keeps no keys');
}

/** Returns the field manager: the parameter, else the first word of the user agent. */
function fieldManager(exchange: Exchange): string {
  const given = textParameter(exchange.query, 'fieldManager');
  if (given === undefined || given === '')
    return (exchange.header('user-agent') ?? '').split('/', 1)[0]?.slice(0, managerCharsMax) || 'unknown';
  if (given.length > managerCharsMax || !printable.test(given)) {
    throw invalid('fieldManager', `expected at most ${managerCharsMax} printable ASCII characters`);
  }
  return given;
}

export function isDryRun(query: URLSearchParams): boolean {
  const values = query.getAll('dryRun').filter((value) => value !== '');
  if (values.some((value) => value !== 'All')) throw invalid('dryRun', 'expected All');
  return values.length > 0;
}

/** Returns the version of an entity tag in `If-Match`, or `*`. @throws TAP_REQUEST_HEADER_INVALID */
export function versionTag(header: string | undefined): string | undefined {
  if (header === undefined || header.trim() === '*') return header?.trim();
  const version = /^(?:W\/)?"(\d{1,20})"$/.exec(header.trim())?.[1];
  if (version === undefined) throw headerInvalid('If-Match', 'expected one entity tag such as "42", as GET answers it');
  return version;
}

const patchTypes: Readonly<Record<string, PatchType>> = {
  'application/json-patch+json': 'json',
  'application/merge-patch+json': 'merge',
  'application/strategic-merge-patch+json': 'strategic',
  'application/apply-patch+yaml': 'apply',
};

/** Returns the content types of patches that a kind supports. */
export function patchMediaTypes(kind: ServedKind): readonly string[] {
  return Object.keys(patchTypes).filter((type) => kind.strategicMerge || patchTypes[type] !== 'strategic');
}

/** Returns the type of a patch. @throws TAP_REQUEST_MEDIA_TYPE_UNSUPPORTED with the types that the kind supports */
export function patchTypeOf(mediaType: string, kind: ServedKind): PatchType {
  const served = patchMediaTypes(kind);
  const type = served.includes(mediaType) ? patchTypes[mediaType] : undefined;
  if (type === undefined) {
    const expected = served.join(', ');
    throw apiErrors.TAP_REQUEST_MEDIA_TYPE_UNSUPPORTED({
      message: `a patch of ${kind.plural} is one of ${expected}, found "${mediaType}"`,
    });
  }
  return type;
}

export function headerInvalid(name: string, problem: string): Error {
  return apiErrors.TAP_REQUEST_HEADER_INVALID({ message: `header ${name}: ${problem}` });
}
