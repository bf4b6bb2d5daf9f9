import { parse } from 'yaml';
import type { Connection } from './connection.js';

interface Kubeconfig {
  readonly clusters?: readonly {
    readonly name: string;
    readonly cluster: { readonly server: string; readonly 'certificate-authority-data'?: string };
  }[];
  readonly users?: readonly { readonly name: string; readonly user: { readonly token?: string } }[];
  readonly contexts?: readonly { readonly name: string; readonly context: { readonly cluster: string; readonly user: string } }[];
}

/** Returns the connection of the context `tappaas` in a kubeconfig; undefined when it has none. */
export function connectionOfKubeconfig(text: string): Connection | undefined {
  const config = parse(text) as Kubeconfig;
  const context = config.contexts?.find(({ name }) => name === 'tappaas')?.context;
  const cluster = config.clusters?.find(({ name }) => name === context?.cluster)?.cluster;
  const token = config.users?.find(({ name }) => name === context?.user)?.user.token;
  if (cluster === undefined || token === undefined) return undefined;
  const authority = cluster['certificate-authority-data'];
  return {
    server: cluster.server,
    token,
    ...(authority ? { certificateAuthority: Buffer.from(authority, 'base64').toString('utf8') } : {}),
  };
}
