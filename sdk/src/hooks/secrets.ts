import type { Caller, Context } from '../context.js';
import type { SecretRef } from '../families/secret-store.js';
import { defineHook, type Shape } from './shape.js';

/**
 * Who got which secret, in which version, and what for; never its value. A Secret object of the platform has store `platform` and path
 * `namespace/name`; its version is its resourceVersion.
 */
export type SecretAccess = Readonly<{ ref: SecretRef; version: string; caller: Caller; purpose: string }>;

/** Shape of `secrets.accessed`. */
export interface Accessed extends Shape {
  readonly options: { readonly stores?: readonly string[] };
  readonly input: SecretAccess;
  readonly output: Promise<void>;
  readonly context: Context;
}

/** Hooks of secret access. */
export const secrets = Object.freeze({
  /** Told before the value is handed out; a failing tap withholds it. */
  accessed: defineHook<Accessed>({
    contract: 1,
    name: 'secrets.accessed',
    kind: 'observe',
    synchronous: false,
    deadlineMs: 500,
    onFailure: 'fail',
    runsOn: 'every-replica',
    description:
      'Told when the platform reads a Secret for a plugin: to keep it for a release, and to bring it to a cluster; fails closed.',
  }),
});
