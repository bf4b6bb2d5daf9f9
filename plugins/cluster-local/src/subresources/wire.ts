import type { HttpAnswer, HttpRequest } from '@tappaas/sdk';
import { errors } from '../errors.js';

/** Parses the JSON object in a request's body. */
export function bodyOf<T>(request: HttpRequest): T {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(request.body));
    if (typeof value === 'object' && value !== null) return value as T;
  } catch {
    // Reported below, with what was expected.
  }
  throw errors.CLUSTER_LOCAL_REQUEST_INVALID({ message: 'expected a JSON object as the body of the request' });
}

/** A response with a Status that reports success. */
export const success = (status: number): HttpAnswer => ({
  status,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: status }),
});
