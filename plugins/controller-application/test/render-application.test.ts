import type { CronJob, Deployment, Ingress, Job, KubernetesObject, RuntimeType } from '@tappaas/sdk';
import { Type } from '@tappaas/sdk';
import test from 'ava';
import { renderApplication } from '../dist/render-application.js';
import { facts, shop } from './fixture.ts';

const runtimes = new Map<string, RuntimeType>();
const render = (application = shop()) => renderApplication(application, facts, runtimes);
const kinds = (objects: readonly KubernetesObject[]) => objects.map(({ kind, metadata }) => `${kind}/${metadata.name}`);
const deploymentOf = (objects: readonly KubernetesObject[]) => objects.find((object): object is Deployment => object.kind === 'Deployment');

test('a web process gives a deployment, a service and an ingress in the namespace of the cluster', (t) => {
  const objects = render();
  t.deepEqual(kinds(objects), ['Deployment/shop-web', 'Service/shop-web', 'Ingress/shop']);
  t.true(objects.every(({ metadata }) => metadata.namespace === 'tappaas-team-a'));
});

test('a worker without ports gets no service, and without routes there is no ingress', (t) => {
  t.deepEqual(kinds(render(shop({ processes: [{ name: 'worker', replicas: 1 }], routes: [] }))), ['Deployment/shop-worker']);
});

test('rendering is pure: the same object gives the same objects', (t) => {
  t.deepEqual(render(), render());
});

test('a process that declares no readiness gets traffic once its port accepts', (t) => {
  t.deepEqual(deploymentOf(render())?.spec?.template.spec?.containers[0]?.readinessProbe, {
    tcpSocket: { port: 'http' },
    periodSeconds: 1,
  });
});

test('the environment of the process wins over that of the application', (t) => {
  const application = shop({
    env: [
      { name: 'A', value: 'application' },
      { name: 'B', value: 'application' },
    ],
    processes: [{ name: 'web', replicas: 1, env: [{ name: 'A', value: 'process' }] }],
    routes: [],
  });
  t.deepEqual(deploymentOf(render(application))?.spec?.template.spec?.containers[0]?.env, [
    { name: 'B', value: 'application' },
    { name: 'A', value: 'process' },
  ]);
});

test('two applications whose long names begin alike have copies of their own of the same Secret', (t) => {
  const env = [{ name: 'PASSWORD', from: { secret: { name: 'db', key: 'password' } } }];
  const [first, second] = ['a', 'b'].map((ending) => {
    const application = shop({ env });
    const named = { ...application, metadata: { ...application.metadata, name: `customer-portal-of-production-europe-west-${ending}` } };
    return kinds(renderApplication(named, { ...facts, inputs: { 'secret/db': '1' } }, runtimes)).find((each) => each.startsWith('Secret/'));
  });
  t.regex(first ?? '', /^Secret\/customer-portal-of-production-europe-wes-db-[0-9a-f]{10}$/);
  t.not(first, second);
});

test('by default no replica may be missing while a new release rolls out', (t) => {
  t.deepEqual(deploymentOf(render())?.spec?.strategy, { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } });
});

test('routes of one host share a rule, and a route without a host gets one of the cluster', (t) => {
  const routes = [
    { name: 'a', path: '/', process: 'web', port: 'http' },
    { name: 'b', path: '/api', process: 'web', port: 'http' },
    { name: 'c', host: 'shop.example.com', path: '/', process: 'web', port: 'http' },
  ];
  const ingress = render(shop({ routes })).find((object): object is Ingress => object.kind === 'Ingress');
  t.deepEqual(
    ingress?.spec?.rules?.map(({ host, http }) => [host, http?.paths.map(({ path }) => path)]),
    [
      ['shop.team-a.localhost', ['/', '/api']],
      ['shop.example.com', ['/']],
    ],
  );
});

test('the runtime shapes the pod template of every process', (t) => {
  const seen: string[] = [];
  const runtime: RuntimeType = {
    description: 'a witness',
    parameters: Type.Object({}),
    requires: [],
    shape(draft, { process }) {
      seen.push(process);
      draft.metadata = { ...draft.metadata, annotations: { shaped: 'yes' } };
    },
  };
  const objects = renderApplication(shop(), facts, new Map([['standard', runtime]]));
  t.deepEqual(seen, ['web']);
  t.is(deploymentOf(objects)?.spec?.template.metadata?.annotations?.['shaped'], 'yes');
});

const migrate = { name: 'migrate', replicas: 1, phase: 'Release' as const, command: ['node', 'migrate.js'] };
const nightly = { name: 'nightly', replicas: 1, schedule: '0 3 * * *', command: ['node', 'report.js'] };
const web = { name: 'web', replicas: 1 };

test('a release task is a job that is not tried again, and a schedule is a cron job; nobody can reach them', (t) => {
  const objects = render(shop({ processes: [web, migrate, nightly], routes: [] }));
  t.deepEqual(
    objects.map(({ kind }) => kind),
    ['Job', 'CronJob', 'Deployment'],
  );
  const [job, cronJob] = objects as unknown as [Job, CronJob];
  t.is(job.metadata.annotations?.['tappaas.dev/release-task'], 'true');
  t.like(job.spec, { backoffLimit: 0, activeDeadlineSeconds: 600, template: { spec: { restartPolicy: 'Never' } } });
  t.like(cronJob.spec, { schedule: '0 3 * * *', timeZone: 'Etc/UTC', concurrencyPolicy: 'Forbid' });
});

test('a release task runs anew for other code or configuration, and only then', (t) => {
  const nameOf = (spec: Parameters<typeof shop>[0]) =>
    render(shop({ processes: [web, migrate], routes: [], ...spec })).find(({ kind }) => kind === 'Job')?.metadata.name;
  const name = nameOf({});
  t.is(nameOf({ processes: [{ ...web, replicas: 5 }, migrate] }), name);
  t.not(nameOf({ env: [{ name: 'A', value: '1' }] }), name);
  t.not(nameOf({ processes: [web, { ...migrate, command: ['node', 'other.js'] }] }), name);
});

test('a cluster that does not promise batch jobs is named', (t) => {
  const without = { ...facts, cluster: { ...facts.cluster, profiles: ['workloads' as const] } };
  t.throws(() => renderApplication(shop({ processes: [migrate], routes: [] }), without, runtimes), {
    code: 'CONTROLLER_APPLICATION_NO_BATCH',
    message: /cluster local .* process migrate/,
  });
});
