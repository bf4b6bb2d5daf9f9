import type { AnyKind, Clock, Key, Resources } from '@tappaas/sdk';
import type { Call } from '../api/contributions.js';
import type { EnginePort } from '../api/engine-port.js';
import type { Registrations } from '../kernel/kernel.js';
import type { LongActions } from './long-actions.js';

/** What contributions need to be served: the engines by name, and resources with exactly a caller's rights. */
export interface ContributionParts {
  readonly clock: Clock;
  readonly registrations: Registrations;
  readonly engine: (name: string) => EnginePort;
  /** An object of the platform's engine, whoever asks. */
  readonly object: (kind: AnyKind, key: Key) => Promise<unknown>;
  readonly asCaller: (engine: string, call: CallerCall) => Resources;
  readonly longActions: LongActions;
}

/** Of a call, what outlives its request. */
export type CallerCall = Pick<Call, 'caller' | 'requestId' | 'signal'>;

/** The extra fields of a request context; descriptors, since the plugin's context is frozen. */
export function requestContext<C extends object>(
  context: C,
  parts: ContributionParts,
  engine: string,
  call: CallerCall,
  more: object = {},
): C {
  const { caller, requestId } = call;
  const asCaller = parts.asCaller(engine, call);
  return Object.create(context, Object.getOwnPropertyDescriptors({ caller, requestId, asCaller, ...more })) as C;
}
