import type { Context } from '../context.js';
import type { Capability } from '../hooks/reconcile.js';

/** How to reach a Kubernetes API; the same client code talks to a real cluster and to the local one. */
export interface ClusterConnection {
  /** Base URL, with the mount path of a local engine: `https://127.0.0.1:7443/clusters/local`. */
  readonly server: string;
  /** PEM of the authorities to trust; absent: those of the system. */
  readonly certificateAuthority?: string;
  readonly token?: string;
  /** PEM pair of a client certificate. */
  readonly clientCertificate?: { readonly certificate: string; readonly key: string };
}

/** Parts of the Kubernetes API that a cluster promises to serve completely; each has a conformance suite. */
export type ClusterProfile =
  | 'workloads'
  | 'batch'
  | 'config'
  | 'autoscaling'
  | 'storage'
  | 'quota'
  | 'network-policy'
  | 'pod-security'
  | 'gateway'
  | 'snapshots'
  | 'metrics';

/** A Kubernetes API on which applications run. */
export interface Cluster {
  readonly description: string;
  readonly profiles: readonly ClusterProfile[];
  readonly capabilities: readonly Capability[];
  /** `bind`: the platform's scheduler binds pods of `spec.schedulerName: tappaas`; `advise`: the cluster's own scheduler does. */
  readonly scheduling: 'bind' | 'advise';
  /** Name of the namespace on the cluster; `{namespace}` is replaced by that of the platform's namespace. */
  readonly namespaceTemplate: string;
  /** Where routes are served: `{application}.{namespace}.{hostSuffix}:{port}`. */
  readonly ingress: { readonly scheme: 'http' | 'https'; readonly hostSuffix: string; readonly port: number };
  /** Called at every connect and reconnect, so credentials may change. @throws TAP_CLUSTER_UNREACHABLE */
  connection(context: Context): Promise<ClusterConnection>;
}
