import type { KubernetesObject } from '@tappaas/sdk';
import { runApplySet, type ApplySetOptions, type ApplySetResult } from '../../dist/reconcile/apply-set.js';
import type { InventoryEntry } from '../../dist/reconcile/inventory.js';
import { FakeCluster } from './fake-cluster.ts';

export const manager = 'tappaas-application';
export const ownership = { installation: 'inst-1', owner: 'app-1' };

export const configMap = (name: string, data: Record<string, string> = { a: '1' }): KubernetesObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'shop' },
  data,
});

export const deployment = (name: string, image = 'web:1'): KubernetesObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, namespace: 'shop', labels: { app: name } },
  spec: {
    replicas: 2,
    template: {
      spec: {
        containers: [{ name: 'web', image, ports: [{ containerPort: 80 }], resources: { requests: { cpu: '1000m', memory: '1024Mi' } } }],
        volumes: [{ name: 'scratch', emptyDir: {} }],
      },
    },
  },
});

export function setUp() {
  const cluster = new FakeCluster();
  const state = { inventory: [] as readonly InventoryEntry[], saves: 0 };
  const log: string[] = [];
  const run = (rendered: readonly KubernetesObject[], options: Partial<ApplySetOptions> = {}): Promise<ApplySetResult> =>
    runApplySet(rendered, {
      target: cluster,
      inventory: state.inventory,
      saveInventory: async (entries) => {
        log.push(`save ${entries.map(({ name, uid }) => `${name}${uid === undefined ? '?' : ''}`).join(',')}`);
        state.saves += 1;
        state.inventory = entries;
      },
      ownership,
      manager,
      signal: new AbortController().signal,
      ...options,
    });
  return { cluster, state, run, log };
}
