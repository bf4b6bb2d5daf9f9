import type { Clock, KubernetesLease, Logger, Node } from '@tappaas/sdk';
import { isAnswer, type ApiClient } from '../api/api-client.js';
import { nodeObject, nodeStatus, type NodeView } from './node-object.js';

export interface HeartbeatOptions {
  readonly client: ApiClient;
  readonly clock: Clock;
  readonly log: Logger;
  readonly heartbeatMs: number;
  readonly nodes: readonly string[];
  /** Returns the present state of a node. */
  readonly view: (name: string) => NodeView;
}

const leaseNamespace = 'kube-node-lease';
const mergePatch = 'application/merge-patch+json';
/** Interval at which an unchanged node status is written, milliseconds. */
const statusMs = 60_000;

/** Creates the agent's nodes and sends their heartbeats (leases and status) until aborted. */
export async function keepNodes(options: HeartbeatOptions, signal: AbortSignal): Promise<void> {
  const { clock, log, heartbeatMs, nodes } = options;
  const probed = new Map<string, { readonly problem: string | undefined; readonly atMs: number }>();
  let failed = false;
  let renewedMs = clock.nowMs();
  while (!signal.aborted) {
    try {
      // After a gap the platform may have marked the nodes as unreachable. The lease is renewed first, or the platform would mark them
      // again.
      const wasSilent = failed || clock.nowMs() - renewedMs > 2 * heartbeatMs;
      for (const name of nodes) await renew(options, name, signal);
      renewedMs = clock.nowMs();
      for (const name of nodes) {
        const view = options.view(name);
        const before = probed.get(name);
        const isDue = before === undefined || before.problem !== view.proxyProblem || clock.nowMs() - before.atMs >= statusMs;
        if (!isDue && !wasSilent) continue;
        await report(options.client, view, signal);
        probed.set(name, { problem: view.proxyProblem, atMs: clock.nowMs() });
      }
      failed = false;
    } catch (error) {
      if (!failed && !signal.aborted) log.warn('the platform does not answer', { error: String(error) });
      failed = true;
    }
    await clock.sleep(failed ? Math.min(heartbeatMs, 1000) : heartbeatMs, signal).catch(() => undefined);
  }
}

async function report(client: ApiClient, view: NodeView, signal: AbortSignal): Promise<void> {
  const path = `/api/v1/nodes/${encodeURIComponent(view.name)}`;
  const node = nodeObject(view);
  try {
    const present = await client.request<Node>({ method: 'GET', path, signal });
    const labels = { metadata: { labels: node.metadata.labels } };
    const stale = Object.entries(node.metadata.labels ?? {}).some(([key, value]) => present.metadata.labels?.[key] !== value);
    if (stale) await client.request({ method: 'PATCH', path, body: labels, contentType: mergePatch, signal });
  } catch (error) {
    if (!isAnswer(error, 404)) throw error;
    await unlessThere(client.request({ method: 'POST', path: '/api/v1/nodes', body: node, signal }));
  }
  await client.request({ method: 'PATCH', path: `${path}/status`, body: { status: nodeStatus(view) }, contentType: mergePatch, signal });
}

async function renew({ client, clock, heartbeatMs }: HeartbeatOptions, name: string, signal: AbortSignal): Promise<void> {
  const path = `/apis/coordination.k8s.io/v1/namespaces/${leaseNamespace}/leases`;
  const spec = {
    holderIdentity: name,
    leaseDurationSeconds: Math.ceil((heartbeatMs * 4) / 1000),
    renewTime: new Date(clock.nowMs()).toISOString().replace('Z', '000Z'),
  };
  try {
    await client.request({ method: 'PATCH', path: `${path}/${encodeURIComponent(name)}`, body: { spec }, contentType: mergePatch, signal });
  } catch (error) {
    if (!isAnswer(error, 404)) throw error;
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: leaseNamespace } };
    await unlessThere(client.request({ method: 'POST', path: '/api/v1/namespaces', body: namespace, signal }));
    const lease: KubernetesLease = {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name, namespace: leaseNamespace },
      spec,
    };
    await unlessThere(client.request({ method: 'POST', path, body: lease, signal }));
  }
}

async function unlessThere(made: Promise<unknown>): Promise<void> {
  try {
    await made;
  } catch (error) {
    if (!isAnswer(error, 409)) throw error;
  }
}
