import { hooks, type SecretAccess } from '@tappaas/sdk';
import type { Kernel } from '../../kernel/kernel.js';

/** A Secret object that the platform reads on behalf of a plugin; never its value. */
export interface SecretRead {
  readonly namespace: string;
  readonly name: string;
  readonly version: string;
  /** The purpose, in words for an auditor. */
  readonly purpose: string;
  readonly signal?: AbortSignal;
}

/** Notifies observers of secrets before a value is passed on. @throws the error of the first failed tap, which withholds the value */
export type ReportSecretRead = (read: SecretRead) => Promise<void>;

/** Store name of the platform's own Secrets, for taps that observe only some stores. */
const platformStore = 'platform';

/** Makes a function that reports reads on behalf of a plugin instance to every tap of `secrets.accessed`. */
export function reportSecretReads(kernel: Kernel, plugin: string): ReportSecretRead {
  const caller = { name: `system:plugin:${plugin}`, groups: [] };
  return async ({ namespace, name, version, purpose, signal }) => {
    const access: SecretAccess = { ref: { store: platformStore, path: `${namespace}/${name}` }, version, caller, purpose };
    const scope = signal === undefined ? {} : { signal };
    const [failure] = await kernel.hooks.observeAsync(hooks.secrets.accessed, { store: platformStore }, access, scope);
    if (failure) throw failure.error;
  };
}
