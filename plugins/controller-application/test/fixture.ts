import type { Immutable, RenderFacts } from '@tappaas/sdk';
import type { ApplicationObject } from '@tappaas/sdk/kinds';

type Spec = Immutable<ApplicationObject['spec']>;

export const facts: RenderFacts = {
  cluster: {
    name: 'local',
    namespace: 'tappaas-team-a',
    capabilities: [],
    profiles: ['workloads', 'batch', 'config'],
    schedulerName: 'tappaas',
  },
  ingress: { scheme: 'http', hostSuffix: 'localhost', port: 8080 },
  inputs: { image: 'team-a/shop@sha256:1', build: 'shop-1' },
};

/** An application with one web process; `spec` replaces parts of its spec. */
export function shop(spec: Partial<Spec> = {}): Immutable<ApplicationObject> {
  return {
    apiVersion: 'apps.tappaas.dev/v1alpha1',
    kind: 'Application',
    metadata: {
      name: 'shop',
      namespace: 'team-a',
      uid: 'u1',
      generation: 1,
      resourceVersion: '1',
      creationTimestamp: '2026-01-01T00:00:00Z',
      labels: {},
      annotations: {},
    },
    spec: {
      source: { upload: { digest: `sha256:${'a'.repeat(64)}` } },
      runtime: 'standard',
      processes: [{ name: 'web', replicas: 2, ports: [{ name: 'http', port: 8080, protocol: 'HTTP' }] }],
      routes: [{ name: 'public', path: '/', process: 'web', port: 'http' }],
      ...spec,
    },
  };
}
