import type { AnyKind, Clock, Immutable, Key, ObjectOf, Resources } from '@tappaas/sdk';
import type { Call } from '../../api/contributions.js';
import type { EnginePort } from '../../ports/engine.js';
import type { Registrations } from '../../kernel/kernel.js';
import type { LongActions } from '../operations/long-actions.js';

/** What serving contributions needs: the engines by name, and resources with exactly a caller's rights. */
export interface ContributionParts {
  readonly clock: Clock;
  readonly registrations: Registrations;
  readonly engine: (name: string) => EnginePort;
  /** Reads an object of the platform engine without authorization. */
  readonly object: <K extends AnyKind>(kind: K, key: Key) => Promise<Immutable<ObjectOf<K>> | undefined>;
  readonly asCaller: (engine: string, call: CallerCall) => Resources;
  readonly longActions: LongActions;
}

/** The part of a call that outlives its request. */
export type CallerCall = Pick<Call, 'caller' | 'requestId' | 'signal'>;

type RequestFields = Pick<CallerCall, 'caller' | 'requestId'> & { readonly asCaller: Resources };

/** Adds fields to a context; copies property descriptors, since the plugin's own context is frozen. */
export function withFields<C extends object, F extends object>(context: C, fields: F): C & F {
  return Object.create(context, Object.getOwnPropertyDescriptors(fields)) as C & F;
}

/** The context that a plugin gets while it serves a caller. */
export function requestContext<C extends object, M extends object>(
  context: C,
  parts: ContributionParts,
  engine: string,
  call: CallerCall,
  more?: M,
): C & RequestFields & M {
  const { caller, requestId } = call;
  const asCaller = parts.asCaller(engine, call);
  return withFields(context, { caller, requestId, asCaller, ...more } as RequestFields & M);
}
