import { administratorsGroup } from '@tappaas/sdk';
import { randomBytes } from 'node:crypto';
import { createTokenBox, type TokenBox } from './continue-token.js';
import { create } from './creation.js';
import type { EngineState } from './engine-state.js';
import { kernel } from './kinds/kernel-kinds.js';
import { tracking } from './field-ownership.js';
import type { WriteOptions } from './write-options.js';

const tokenKeyBytes = 32;

/** Loads the key that seals continue tokens. It is created once and kept in the store, so that tokens work across replicas and restarts. */
export async function loadTokenBox({ store, keys }: EngineState): Promise<TokenBox> {
  const key = keys.record('secret', 'continue-tokens');
  const stored = await store.get(key);
  if (stored) return createTokenBox(stored.value);
  const value = randomBytes(tokenKeyBytes);
  const result = await store.transact({ guards: [{ key, modRevision: 0 }], changes: [{ put: key, value }] });
  if (result.ok) return createTokenBox(value);
  return createTokenBox((await store.get(key))?.value ?? value);
}

/** Creates the required namespaces that do not exist. */
export async function makeNamespaces(state: EngineState, names: readonly string[], signal: AbortSignal): Promise<void> {
  const namespaces = state.registry().find({ group: '', version: 'v1', plural: 'namespaces' });
  if (namespaces === undefined) return;
  for (const name of names) {
    if (state.cache(namespaces.entry).get(namespaces.entry.prefix + name)) continue;
    const object = { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
    const target = { kind: namespaces.version.served, name };
    const options = systemOptions(signal);
    const own = tracking(state, { found: namespaces, manager: options.fieldManager, subresource: undefined });
    await create(state, { found: namespaces, target, object, options, own }).catch((error: unknown) => {
      if ((error as { readonly code?: string }).code !== 'TAP_OBJECT_EXISTS') throw error;
    });
  }
}

/** Options for a write by the platform itself. */
export function systemOptions(signal: AbortSignal): WriteOptions {
  return {
    caller: { name: 'system:tappaas', groups: [administratorsGroup] },
    requestId: kernel,
    signal,
    dryRun: false,
    fieldValidation: 'Strict',
    fieldManager: 'tappaas',
  };
}
