import { isTapError, type TapError } from '@tappaas/sdk';
import { apiErrors } from '../errors.js';
import type { Cause, EngineError } from '../../ports/engine.js';
import type { RequestInfo } from '../request/request-info.js';
import { pluginOf, publicMessageOf } from './public-message.js';

/** `Status` as Kubernetes defines it. */
export interface Status {
  readonly kind: 'Status';
  readonly apiVersion: 'v1';
  readonly metadata: object;
  readonly status: 'Success' | 'Failure';
  readonly message?: string;
  readonly reason?: string;
  readonly details?: { readonly code?: string; readonly [field: string]: unknown };
  readonly code: number;
}

const reasons: Readonly<Record<number, string>> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  406: 'NotAcceptable',
  409: 'Conflict',
  410: 'Expired',
  412: 'Conflict',
  413: 'RequestEntityTooLarge',
  415: 'UnsupportedMediaType',
  422: 'Invalid',
  426: 'UpgradeRequired',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServiceUnavailable',
  504: 'Timeout',
};

const reasonOfCode: Readonly<Record<string, string>> = { TAP_OBJECT_EXISTS: 'AlreadyExists' };
const causesMax = 100;

/** Returns what a caller may see of an error: a TapError itself, anything else only as "internal", so that no stack trace ever leaves. */
export function publicError(error: unknown, requestId: string): TapError {
  if (isTapError(error)) return error;
  return apiErrors.TAP_API_INTERNAL({ message: `the request failed inside of the platform (request id ${requestId})`, cause: error });
}

/** Makes the Status of an error: causes have field paths, `code` and `remedy` are those of the error reference. */
export function failureStatus(error: EngineError, info?: RequestInfo): Status {
  const code = error.spec.httpStatus;
  const causes = causesOf(error);
  const { retryAfterMs, data } = error;
  const plugin = pluginOf(error);
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: typeof data['continueToken'] === 'string' ? { continue: data['continueToken'] } : {},
    status: 'Failure',
    message: publicMessageOf(error),
    reason: reasonOfCode[error.code] ?? reasons[code] ?? 'Unknown',
    details: {
      // Clients print a 422 with a kind as "the kind is invalid" and its causes; without causes, that would hide the message.
      ...((code !== 422 || causes.length > 0) && (error.about ?? subjectOf(info))),
      ...(causes.length > 0 && { causes }),
      ...(retryAfterMs !== undefined && { retryAfterSeconds: Math.ceil(retryAfterMs / 1000) }),
      code: error.code,
      remedy: error.spec.remedy,
      ...(plugin !== undefined && { plugin }),
    },
    code,
  };
}

/** Makes a problem document (RFC 9457), for clients that accept `application/problem+json`. */
export function problemOf(status: Status, requestId: string): object {
  const { code, reason, message, details } = status;
  return {
    type: 'about:blank',
    title: reason,
    status: code,
    detail: message,
    instance: `urn:tappaas:request:${requestId}`,
    ...details,
  };
}

/** Makes the Status for an answer without an object, such as that of a completed delete. */
export function successStatus(info: RequestInfo, uid?: string): Status {
  const details = { ...subjectOf(info), ...(uid !== undefined && { uid }) };
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details, code: 200 };
}

function subjectOf(info: RequestInfo | undefined): object {
  const target = info?.target;
  if (target === undefined) return {};
  const { group, plural } = target.kind;
  return { ...(target.name !== undefined && { name: target.name }), ...(group !== '' && { group }), kind: plural };
}

function causesOf(error: EngineError): readonly Cause[] {
  if (error.causes !== undefined && error.causes.length > 0) return error.causes.slice(0, causesMax);
  if (error.field === undefined) return [];
  return [{ reason: 'FieldValueInvalid', message: error.message, field: error.field }];
}
