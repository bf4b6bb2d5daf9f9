import type { GraphQLError } from 'graphql';
import { beginPart } from '../audit-trail.js';
import type { Exchange } from '../request/exchange.js';
import type { GraphqlParts } from './ports.js';
import { tapErrorOf } from './wire-errors.js';

/** A subscription that was refused before it accessed any object. */
export interface Refusal {
  readonly beganAtMs: number;
  readonly annotations: ReadonlyMap<string, string>;
  /** The first error. */
  readonly error: GraphQLError;
}

/**
 * Audits a subscription that was refused because of its document, its size or flow control, as an event of its own under the id of the
 * connection, as the same request over HTTP would be. The client is answered after that, even if auditing fails.
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
