import { hooks, type SecretAccess } from '@tappaas/sdk';
import type { Kernel } from '../../kernel/kernel.js';

/** A Secret object of the platform that the platform reads for a plugin; never its value. */
export interface SecretRead {
  readonly namespace: string;
  readonly name: string;
  readonly version: string;
  /** What for, in words for an auditor. */
  readonly purpose: string;
  readonly signal?: AbortSignal;
}

/** Tells who observes secrets, before a value is handed out. @throws what the first tap that failed said: then the value is not handed out */
export type TellSecretRead = (read: SecretRead) => Promise<void>;

/** Name of the platform's own Secrets as a store, for taps that observe some stores only. */
const platformStore = 'platform';

/** Reads on behalf of a plugin instance, told to every tap of `secrets.accessed`. */
export function tellSecretReads(kernel: Kernel, plugin: string): TellSecretRead {
  const caller = { name: `system:plugin:${plugin}`, groups: [] };
  return async ({ namespace, name, version, purpose, signal }) => {
    const access: SecretAccess = { ref: { store: platformStore, path: `${namespace}/${name}` }, version, caller, purpose };
    const scope = signal === undefined ? {} : { signal };
    const [failure] = await kernel.hooks.observeAsync(hooks.secrets.accessed, { store: platformStore }, access, scope);
    if (failure) throw failure.error;
  };
}
