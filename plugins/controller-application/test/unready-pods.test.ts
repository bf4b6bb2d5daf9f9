import type { Immutable, KubernetesObject } from '@tappaas/sdk';
import test from 'ava';
import { summarizeApplication } from '../dist/summarize-application.js';
import { facts, shop } from './fixture.ts';

type Frozen = Immutable<KubernetesObject>;

const revision = (number: number) => ({ annotations: { 'deployment.kubernetes.io/revision': String(number) } });
const late = { conditions: [{ type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded' }] };
const deployment = (status: object) =>
  ({
    kind: 'Deployment',
    metadata: { name: 'shop-web', uid: 'd', generation: 1, ...revision(2) },
    status: { observedGeneration: 1, updatedReplicas: 2, ...status },
  }) as unknown as Frozen;
const replicaSet = { kind: 'ReplicaSet', metadata: { uid: 'rs-2', ownerReferences: [{ uid: 'd' }], ...revision(2) } } as unknown as Frozen;
const deaf = (set: number, message?: string) =>
  ({
    kind: 'Pod',
    metadata: { name: `shop-web-${set}`, ownerReferences: [{ uid: `rs-${set}` }] },
    status: {
      containerStatuses: [{ name: 'web', ready: false, restartCount: 0, state: { running: {} } }],
      conditions: [{ type: 'Ready', status: 'False', reason: 'ContainersNotReady', message }],
    },
  }) as unknown as Frozen;
const readyText = (object: ReturnType<typeof shop>, ...observed: Frozen[]) =>
  summarizeApplication({ object, facts, release: { name: 'shop-2', number: 2 }, observed }).conditions.find(({ type }) => type === 'Ready')
    ?.message;

const surging = { replicas: 3, readyReplicas: 2 };
const leaving = 'shop-web still has replicas of the release before';

test('a rollout that is late names the new pod that runs and has not opened its port', (t) => {
  const isSurging = deployment({ ...surging, ...late });
  t.is(readyText(shop(), isSurging, replicaSet, deaf(2)), `${leaving}: pod shop-web-2 has not opened its port 8080`);
  t.is(readyText(shop(), isSurging, replicaSet, deaf(1)), leaving, 'a pod of what was before says nothing of the new release');
  t.is(
    readyText(shop(), deployment({ replicas: 2, ...late }), replicaSet, deaf(2)),
    'process web has 0 of 2 replicas ready, 2 of the new release: pod shop-web-2 has not opened its port 8080',
  );
});

test('while there is time, a pod that is about to open its port changes nothing in the status', (t) => {
  t.is(readyText(shop(), deployment(surging), replicaSet, deaf(2)), leaving);
});

test('a new pod that fails its own readiness probe is named with what its cluster says of it', (t) => {
  const ports = [{ name: 'http', port: 8080, protocol: 'HTTP' as const }];
  const probes = { readiness: { http: { path: '/ready', port: 'http' } } };
  const probed = shop({ processes: [{ name: 'web', replicas: 2, ports, probes }] });
  const observed = [deployment({ ...surging, ...late }), replicaSet, deaf(2, 'status 503')];
  t.is(readyText(probed, ...observed), `${leaving}: pod shop-web-2 has not passed its readiness probe: status 503`);
});
