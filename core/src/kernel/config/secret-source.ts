import { readFileSync } from 'node:fs';
import path from 'node:path';
import { secretFrom, type Secret, type SecretSource } from '@tappaas/sdk';
import { guardErrors } from '../errors.js';
import { runningFrame } from '../guard/identity.js';
import { impureUse } from '../services/impure-handle.js';

/** The sources of configured secrets. */
export interface SecretSources {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Base directory of secret files. */
  readonly directory: string;
  /** Returns the value from a secret store, fetched before the plugin started. */
  readonly stored: (source: StoredSource) => Uint8Array | undefined;
}

export type StoredSource = Extract<SecretSource, { store: string }>;

/** Makes a function that creates the secret of a source. The value is read on each use, so that a rotated file takes effect. */
export function secretMaker(sources: SecretSources): (source: SecretSource) => Secret {
  return (source) =>
    secretFrom(() => {
      const frame = runningFrame();
      if (frame?.point === 'setup') throw impureUse(frame.plugin, 'a secret');
      return read(source, sources);
    });
}

/** Used when `setup` runs only to record registrations. */
export const unreadableSecret = secretMaker({ env: {}, directory: '', stored: () => undefined });

function read(source: SecretSource, { env, directory, stored }: SecretSources): Uint8Array {
  if ('env' in source) {
    const value = env[source.env];
    if (value === undefined) throw unreadable(`environment variable ${source.env} is not set`);
    return new TextEncoder().encode(value);
  }
  if ('file' in source) {
    try {
      return readFileSync(path.resolve(directory, source.file));
    } catch (error) {
      throw unreadable(`file ${source.file} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`);
    }
  }
  const value = stored(source);
  if (value === undefined) throw unreadable(`secret store ${source.store} has not given ${source.path}, key ${source.key}`);
  return value;
}

const unreadable = (message: string): Error => guardErrors.TAP_SECRET_UNREADABLE({ message });
