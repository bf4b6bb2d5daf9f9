import test from 'ava';
import { checkApplication } from '../dist/check-application.js';
import { hostClaims } from '../dist/host-claims.js';
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

test('each host and path is claimed once, and routes without a host claim nothing', (t) => {
  const routes = [
    { name: 'a', path: '/', process: 'web', port: 'http' },
    { name: 'b', host: 'shop.example.com', path: '/', process: 'web', port: 'http' },
  ];
  t.deepEqual(
    hostClaims(shop({ routes })).map((claim) => ('unique' in claim ? claim.unique : '')),
    ['host/shop.example.com/'],
  );
});
