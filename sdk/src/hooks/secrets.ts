import type { Caller, Context } from '../context.js';
import type { SecretRef } from '../families/secret-store.js';
import { defineHook, type Shape } from './shape.js';

/**
 * An access to a secret: the caller, the secret, its version and the purpose; never its value. A Secret object of the platform has store
 * `platform` and path `namespace/name`; its version is its resourceVersion.
 */
export type SecretAccess = Readonly<{ ref: SecretRef; version: string; caller: Caller; purpose: string }>;

/** Shape of `secrets.accessed`. */
export interface Accessed extends Shape {
  readonly options: { readonly stores?: readonly string[] };
  readonly input: SecretAccess;
  readonly output: Promise<void>;
  readonly context: Context;
}

/** Hooks that run on access to secrets. */
export const secrets = Object.freeze({
  /** Called before the value is returned; if a tap fails, the value is withheld. */
  accessed: defineHook<Accessed>({
    contract: 1,
    name: 'secrets.accessed',
    kind: 'observe',
    synchronous: false,
    deadlineMs: 500,
    onFailure: 'fail',
    runsOn: 'every-replica',
    description:
      'Called when the platform reads a Secret for a plugin: to store it for a release, and to copy it to a cluster; fails closed.',
  }),
});
