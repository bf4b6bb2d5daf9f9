import { platformEngine } from '@tappaas/sdk';
import { join } from 'node:path';
import { writeKubeconfig } from '../api/kubeconfig.js';
import type { AdminTokenHolder } from '../identity/admin-token.js';
import { readPrivateFile, writePrivateFile } from '../api/certificates/private-file.js';
import type { Foundation } from './foundation.js';

/** Files with which clients on this machine find and trust the platform. */
export interface ConnectionFiles {
  readonly kubeconfig: string;
  readonly authorityFile: string;
  /** The administrator's token, only when it was just created. */
  readonly firstToken: string | undefined;
  /** Updates the kubeconfig: one context per engine; entries of others, and the token, stay. */
  readonly refresh: () => Promise<void>;
  /** Stores an administrator's token that is created later. */
  readonly holder: AdminTokenHolder;
}

export async function writeConnectionFiles(
  { settings: { directory }, engines, identity }: Pick<Foundation, 'settings' | 'engines' | 'identity'>,
  server: string,
  authority: string,
  { isTokenReplaced = false }: { readonly isTokenReplaced?: boolean } = {},
): Promise<ConnectionFiles> {
  const kubeconfig = join(directory, 'kubeconfig');
  const authorityFile = join(directory, 'ca.pem');
  await writePrivateFile(authorityFile, authority);
  const write = (token?: string): Promise<void> => {
    const names = [...engines.all.keys()].filter((name) => name !== platformEngine);
    return writeKubeconfig({ path: kubeconfig, server, authority, engines: names, ...(token === undefined ? {} : { token }) });
  };
  // Each change reads, merges and writes the file, so concurrent changes would overwrite each other.
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = (change: () => Promise<void>): Promise<void> => {
    const done = last.then(change);
    last = done.catch(() => undefined);
    return done;
  };
  await write();
  let before: string | undefined;
  const holder: AdminTokenHolder = {
    keep: (token) =>
      inTurn(async () => {
        before = await readPrivateFile(kubeconfig);
        await write(token);
      }),
    drop: () => inTurn(() => writePrivateFile(kubeconfig, before ?? '')),
  };
  const firstToken = isTokenReplaced ? (await identity.replaceFirstToken(holder)).token : await identity.firstToken(holder);
  return { kubeconfig, authorityFile, firstToken, holder, refresh: () => inTurn(() => write()) };
}
