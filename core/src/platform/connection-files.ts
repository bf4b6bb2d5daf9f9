import { join } from 'node:path';
import { writeKubeconfig } from '../api/kubeconfig.js';
import { readPrivateFile, writePrivateFile } from '../api/certificates/private-file.js';
import { platformEngine } from './engines.js';
import type { Foundation } from './foundation.js';

/** Files by which clients on this machine find the platform and trust it. */
export interface ConnectionFiles {
  readonly kubeconfig: string;
  readonly authorityFile: string;
  /** The administrator's token, only at the first start. */
  readonly firstToken: string | undefined;
  /** Writes the kubeconfig anew: a context per engine; what is there of others, and the token, stay. */
  readonly refresh: () => Promise<void>;
}

export async function writeConnectionFiles(
  { settings: { directory }, engines, identity }: Pick<Foundation, 'settings' | 'engines' | 'identity'>,
  server: string,
  authority: string,
): Promise<ConnectionFiles> {
  const kubeconfig = join(directory, 'kubeconfig');
  const authorityFile = join(directory, 'ca.pem');
  await writePrivateFile(authorityFile, authority);
  const write = (token?: string): Promise<void> => {
    const names = [...engines.all.keys()].filter((name) => name !== platformEngine);
    return writeKubeconfig({ path: kubeconfig, server, authority, engines: names, ...(token === undefined ? {} : { token }) });
  };
  await write();
  const withoutToken = await readPrivateFile(kubeconfig);
  const firstToken = await identity.firstToken({
    keep: write,
    drop: () => writePrivateFile(kubeconfig, withoutToken ?? ''),
  });
  return { kubeconfig, authorityFile, firstToken, refresh: () => write() };
}
