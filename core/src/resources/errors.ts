import { errorTable, objectErrors, type TapError } from '@tappaas/sdk';
import type { About, Cause, EngineError } from '../ports/engine.js';

const caller = { blame: 'caller', retry: 'never' } as const;
const platform = { blame: 'platform', retry: 'back-off' } as const;

const ownErrors = errorTable({
  TAP_KIND_NOT_FOUND: { ...caller, httpStatus: 404, remedy: 'Look up the served kinds with `kubectl api-resources`.' },
  TAP_KIND_INVALID: { ...platform, httpStatus: 500, retry: 'never', remedy: 'Correct the declaration of the kind.' },
  TAP_KIND_DUPLICATE: { ...platform, httpStatus: 500, retry: 'never', remedy: 'Remove one of the two plugins that contribute the kind.' },
  TAP_KIND_IN_USE: {
    httpStatus: 409,
    blame: 'caller',
    retry: 'never',
    remedy: 'Take the plugin out of the configuration and reload before its objects are purged.',
  },
  TAP_KIND_READ_ONLY: {
    ...caller,
    httpStatus: 405,
    remedy: 'Load the plugin that contributes the kind, or remove its objects with `tappaas plugins purge`.',
  },
  TAP_ENGINE_NOT_STARTED: { ...platform, httpStatus: 503, remedy: 'Wait until the platform is ready; readyz says what it waits for.' },
  TAP_OBJECT_PRECONDITION: { ...caller, httpStatus: 412, remedy: 'Read the object again and repeat the change with its new ETag.' },
  TAP_OBJECT_CLAIMS_TOO_MUCH: {
    blame: 'plugin',
    retry: 'never',
    httpStatus: 500,
    remedy: 'Correct the plugins named: claim less per object.',
  },
  TAP_OBJECT_NOT_JSON: {
    blame: 'plugin',
    retry: 'never',
    httpStatus: 500,
    remedy: 'Correct the plugin named: objects are plain JSON data.',
  },
  TAP_OBJECT_DENIED: { ...caller, httpStatus: 403, remedy: 'Change what the named plugins object to.' },
  TAP_OBJECT_UNSEALED: { ...platform, httpStatus: 503, remedy: 'Give the platform a key file outside of its data directory.' },
  TAP_OBJECT_UNKNOWN_VERSION: {
    ...caller,
    httpStatus: 410,
    remedy: 'List again without resourceVersion: this one belongs to another store, is from before a restore, or does not exist yet.',
  },
  TAP_REQUEST_INVALID: { ...caller, httpStatus: 400, remedy: 'Correct the parameter or the body as the message says.' },
  TAP_REQUEST_METHOD: { ...caller, httpStatus: 405, remedy: 'Use one of the verbs that discovery lists for the resource.' },
  TAP_REQUEST_MEDIA_TYPE: { ...caller, httpStatus: 415, remedy: 'Use one of the content types that the message names.' },
  TAP_REQUEST_TOO_LARGE: { ...caller, httpStatus: 413, remedy: 'Make the object smaller.' },
  TAP_REQUEST_CONTENDED: { ...caller, httpStatus: 409, retry: 'back-off', remedy: 'Try again: other clients kept changing the object.' },
  TAP_REQUEST_KEY_REUSED: { ...caller, httpStatus: 422, remedy: 'Use a new idempotency key for another request.' },
  TAP_REQUEST_ANSWER_GONE: {
    ...caller,
    httpStatus: 410,
    remedy: 'Do not repeat the request: it was done. To create the object again, use another idempotency key.',
  },
  TAP_REQUEST_KEYS_TOO_MANY: {
    ...caller,
    httpStatus: 429,
    retry: 'back-off',
    remedy: 'Send creates with a fixed name without an idempotency key, or wait as long as Retry-After says.',
  },
  TAP_REQUEST_RUNNING: {
    ...caller,
    httpStatus: 409,
    retry: 'back-off',
    remedy: 'Wait: the first request with this idempotency key still runs.',
  },
});

/** Errors of a resource engine; the REST API maps the HTTP status to a Status reason. */
export const resourceErrors = { ...objectErrors, ...ownErrors };

/** Attaches causes and the affected object to an error. */
export function explained(error: TapError, about: About, causes: readonly Cause[] = []): EngineError {
  return Object.assign(error, { causes, about });
}
