import { readFile } from 'node:fs/promises';
import type { RequestOptions } from 'node:https';
import type { Cluster } from '@kubernetes/client-node';
import type { Connection } from './connection.js';
import { clusterErrors } from './errors.js';

/** Location of a kubeconfig; without `context` its current context is used. */
export interface KubeconfigSource {
  readonly file?: string;
  readonly text?: string;
  readonly context?: string;
}

/**
 * Returns the connection to the server in a kubeconfig. Each call reads the file and runs its credential plugins again, so that rotated
 * certificates and expired tokens are followed.
 *
 * The Kubernetes client library is loaded here, at the first call, and nowhere else: it costs about 100 MB of memory.
 *
 * @throws TAP_CLUSTER_KUBECONFIG
 */
export async function connectionOfKubeconfig(source: KubeconfigSource): Promise<Connection> {
  const { KubeConfig } = await import('@kubernetes/client-node');
  const config = new KubeConfig();
  try {
    if (source.text !== undefined) config.loadFromString(source.text);
    else if (source.file !== undefined) config.loadFromFile(source.file);
    else config.loadFromDefault();
  } catch (cause) {
    throw clusterErrors.TAP_CLUSTER_KUBECONFIG({ message: `${nameOf(source)} cannot be read: ${messageOf(cause)}`, cause });
  }
  if (source.context !== undefined) config.setCurrentContext(source.context);
  const cluster = config.getCurrentCluster();
  if (!cluster) {
    throw clusterErrors.TAP_CLUSTER_KUBECONFIG({ message: `${nameOf(source)} has no cluster for context "${config.getCurrentContext()}"` });
  }
  const options: RequestOptions = {};
  try {
    await config.applyToHTTPSOptions(options);
    return { server: cluster.server, ...(await trustOf(cluster)), ...identityOf(options) };
  } catch (cause) {
    throw clusterErrors.TAP_CLUSTER_KUBECONFIG({ message: `${nameOf(source)} gives no credentials: ${messageOf(cause)}`, cause });
  }
}

/** Read from the cluster entry, since the library omits it where the context has no user. */
async function trustOf({ caData, caFile, tlsServerName, skipTLSVerify }: Cluster): Promise<Partial<Connection>> {
  const inline = caData === undefined ? undefined : Buffer.from(caData, 'base64').toString('utf8');
  const authority = inline ?? (caFile === undefined ? undefined : await readFile(caFile, 'utf8'));
  return {
    ...(authority === undefined ? {} : { certificateAuthority: authority }),
    ...(tlsServerName === undefined ? {} : { serverName: tlsServerName }),
    ...(skipTLSVerify ? { insecure: true } : {}),
  };
}

function identityOf({ cert, key, auth, headers }: RequestOptions): Partial<Connection> {
  const certificate = pem(cert);
  const privateKey = pem(key);
  const header: unknown = Object.entries(headers ?? {}).find(([name]) => name.toLowerCase() === 'authorization')?.[1];
  const basic = typeof auth === 'string' ? `Basic ${Buffer.from(auth).toString('base64')}` : undefined;
  const authorization = typeof header === 'string' ? header : basic;
  return {
    ...(certificate === undefined || privateKey === undefined ? {} : { clientCertificate: { certificate, key: privateKey } }),
    ...(authorization === undefined ? {} : { authorization }),
  };
}

function pem(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  return Buffer.isBuffer(value) ? value.toString('utf8') : undefined;
}

function nameOf({ file, text }: KubeconfigSource): string {
  return text === undefined ? `kubeconfig ${file ?? '(default)'}` : 'the kubeconfig';
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
