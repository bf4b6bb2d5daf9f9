import type { GraphQLError } from 'graphql';
import { beginPart } from '../audit-trail.js';
import type { Exchange } from '../request/exchange.js';
import type { GraphqlParts } from './ports.js';
import { tapErrorOf } from './wire-errors.js';

/** What was asked for over a socket, and refused before it was about any object. */
export interface Refusal {
  readonly beganAtMs: number;
  readonly annotations: ReadonlyMap<string, string>;
  /** The first of what is wrong. */
  readonly error: GraphQLError;
}

/**
 * Tells audit of a subscription that was refused for its document, its size or lack of room: an event by itself, as the same sent as a
 * request would be, under the id of the connection. The client waits for that, and learns of the refusal whatever becomes of it.
 */
export async function recordRefusal(
  { audit, clock, log }: Pick<GraphqlParts, 'audit' | 'clock' | 'log'>,
  exchange: Exchange,
  { beganAtMs, annotations, error }: Refusal,
): Promise<void> {
  const { info, path, requestId, decision, impersonated } = exchange;
  const { code: errorCode, spec } = tapErrorOf(error, requestId);
  try {
    const trail = await beginPart(audit, exchange, { info, beganAtMs, path: path.path, query: path.query, isPart: true });
    const durationMs = clock.nowMs() - beganAtMs;
    await trail.end({ status: spec.httpStatus, errorCode, decision, impersonated, annotations, durationMs });
  } catch (problem) {
    log.error('a refused subscription was not audited', { requestId, errorCode, error: problem });
  }
}
