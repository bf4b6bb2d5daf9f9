import type { AnyKind, Caller, Key } from '@tappaas/sdk';
import { digestOf } from '../../reconcile/canonical.js';

/** Identifies repeated requests for a long action; stored in the Operation itself. */
export interface OperationKey {
  /** End of the Operation's name, so that a second one cannot be created. */
  readonly suffix: string;
  /** Digest of the input and the key; including the key prevents guessing the input from the digest. */
  readonly digest: string;
}

export interface KeyedRequest {
  readonly idempotencyKey: string;
  readonly caller: Caller;
  readonly verb: string;
  readonly on: AnyKind;
  readonly target: Key;
  readonly input: unknown;
}

const suffixCharacters = 32;

export function operationKey({ idempotencyKey, caller, verb, on: { group, kind }, target, input }: KeyedRequest): OperationKey {
  const suffix = digestOf([caller.tenant ?? '', caller.name, idempotencyKey])
    .replace('sha256:', '')
    .slice(0, suffixCharacters);
  return { suffix, digest: digestOf([idempotencyKey, group, kind, target, verb, input]) };
}
