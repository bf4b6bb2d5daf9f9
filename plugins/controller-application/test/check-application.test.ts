import test from 'ava';
import { checkApplication } from '../dist/check-application.js';
import { hostClaims, reservedHosts } from '../dist/host-claims.js';
import { shop } from './fixture.ts';

const web = { name: 'web', replicas: 1, ports: [{ name: 'http', port: 8080, protocol: 'HTTP' as const }] };

const cases: readonly (readonly [string, Parameters<typeof shop>[0], readonly string[]])[] = [
  ['a sound application has no denials', {}, []],
  [
    'a route to an unknown process is denied by field',
    { routes: [{ name: 'p', path: '/', process: 'wen', port: 'http' }] },
    ['spec.routes[0].process'],
  ],
  [
    'a route to an unknown port is denied by field',
    { routes: [{ name: 'p', path: '/', process: 'web', port: 'htp' }] },
    ['spec.routes[0].port'],
  ],
  [
    'a probe with two ways is denied',
    { processes: [{ ...web, probes: { readiness: { tcp: { port: 'http' }, exec: { command: ['x'] } } } }] },
    ['spec.processes[0].probes.readiness'],
  ],
  ['a variable with neither value nor source is denied', { env: [{ name: 'A' }] }, ['spec.env[0]']],
  [
    'a mount of an unknown volume is denied',
    { processes: [{ ...web, volumeMounts: [{ name: 'data', path: '/data' }] }] },
    ['spec.processes[0].volumeMounts[0].name'],
  ],
  [
    'a release task and a schedule are accepted',
    {
      processes: [
        web,
        { name: 'migrate', replicas: 1, phase: 'Release' },
        { name: 'nightly', replicas: 1, schedule: '*/5 3 * * 1-5', timeZone: 'Europe/Berlin' },
        { name: 'hourly', replicas: 1, schedule: '@hourly' },
      ],
    },
    [],
  ],
  [
    'tasks that contradict themselves are denied by field',
    {
      processes: [
        { ...web, phase: 'Release', replicas: 2, schedule: '0 3 * *', timeZone: 'Mars/Olympus' },
        { name: 'worker', replicas: 1, timeZone: 'UTC' },
      ],
      routes: [],
    },
    [
      'spec.processes[0].schedule',
      'spec.processes[0].schedule',
      'spec.processes[0].timeZone',
      'spec.processes[0].ports',
      'spec.processes[0].replicas',
      'spec.processes[1].timeZone',
    ],
  ],
  [
    'what no part can do is denied, all of it at once',
    { source: { git: { url: 'https://example.com/a.git' } }, volumes: [{ name: 'data', size: '1Gi' }] },
    ['spec.source.git', 'spec.volumes'],
  ],
];

for (const [title, spec, fields] of cases) {
  test(title, (t) => {
    t.deepEqual(
      checkApplication(shop(spec)).map(({ field }) => field),
      fields,
    );
  });
}

const route = (host?: string, path = '/') => ({ name: 'a', path, process: 'web', port: 'http', ...(host && { host }) });
const claimed = (...routes: readonly ReturnType<typeof route>[]) =>
  hostClaims(shop({ routes: [...routes] }), ['localhost', 'apps.example.com']).map((claim) => ('unique' in claim ? claim.unique : ''));

test('a host that is written out is claimed once with all its paths, and each path of the one that a route without a host gets', (t) => {
  t.deepEqual(claimed(route('shop.example.com'), route('shop.example.com', '/login'), route('example.com', '/a')), [
    'host/shop.example.com',
    'host/example.com',
  ]);
  t.deepEqual(claimed(route(undefined, '/a')), ['host-of/team-a/shop/a']);
});

test('a host that is written out is the same claim as the one that another application of the namespace has by default', (t) => {
  for (const suffix of ['localhost', 'apps.example.com'])
    t.deepEqual(claimed(route(`shop.team-a.${suffix}`)), [`host/shop.team-a.${suffix}`, 'host-of/team-a/shop/']);
});

test('a host that begins like a default one, and ends otherwise than those of any cluster, takes nothing from anybody', (t) => {
  for (const host of ['shop.team-a.example.com', 'shop.team-a', 'shop.team-a.x.localhost'])
    t.deepEqual(claimed(route(host)), [`host/${host}`], host);
  const unknown = hostClaims(shop({ routes: [route('shop.team-a.example.com')] }), []);
  t.is(unknown.length, 2, 'while no cluster is there it may be the suffix of one');
});

test('hosts below another namespace are refused, those of the own one and outside of the cluster’s are not', (t) => {
  const refused = (host: string) =>
    reservedHosts(shop({ routes: [route(host)] }), ['apps.example.com', 'localhost']).map(({ reason }) => reason);
  for (const host of ['shop.team-b.localhost', '*.team-b.localhost', 'a.b.team-b.apps.example.com'])
    t.deepEqual(refused(host), ['HostReserved'], host);
  for (const host of ['shop.team-a.localhost', '*.team-a.localhost', 'shop.localhost', 'shop.team-b.example.com', 'notlocalhost.com'])
    t.deepEqual(refused(host), [], host);
  const [denial] = reservedHosts(shop({ routes: [route(), route('x.team-b.localhost')] }), ['localhost']);
  t.is(denial?.field, 'spec.routes[1].host');
  t.regex(denial?.message ?? '', /expected NAME\.team-a\.localhost/);
});
