import test from 'ava';
import { recordedBody } from '../../../dist/telemetry/audit/recorded-body.js';

const recorded = (value: unknown) => JSON.parse(recordedBody(JSON.stringify(value), 10_000) ?? 'null') as unknown;

test('what looks like a credential is left out: by its name, by the name beside it, by its form', (t) => {
  const object = {
    metadata: { name: 'web', annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{"password":"canary"}' } },
    spec: {
      password: 'canary',
      dbPassword: { nested: 'canary' },
      env: [
        { name: 'API_KEY', value: 'canary' },
        { name: 'MODE', value: 'fast' },
      ],
      args: [
        '--header',
        'tapp_b3ce9ce02075_canarycanary',
        'eyJhbGciOiJIUzI1NiJ9.eyJjYW5hcnkiOjF9.canary',
        '-----BEGIN PRIVATE KEY-----canary',
      ],
    },
    status: { token: 'canary' },
  };
  t.notRegex(JSON.stringify(recorded(object)), /canary/);
  t.deepEqual((recorded(object) as typeof object).spec.env[1], { name: 'MODE', value: 'fast' });
});

test('where a secret lies is no secret', (t) => {
  const object = {
    secretRef: { name: 'db' },
    imagePullSecrets: 'hidden',
    secretName: 'db',
    valueFrom: { secretKeyRef: { name: 'db', key: 'x' } },
  };
  t.deepEqual(recorded(object), { ...object, imagePullSecrets: '[redacted]' });
});

test('what is too large, no JSON or too deep is left out and says so', (t) => {
  t.deepEqual(JSON.parse(recordedBody('x'.repeat(11), 10) ?? ''), { 'tappaas.dev/left-out': 'larger than 10 bytes: 11' });
  t.deepEqual(JSON.parse(recordedBody('a: 1', 10) ?? ''), { 'tappaas.dev/left-out': 'not JSON' });
  t.is(recordedBody('', 10), undefined);
  t.regex(recordedBody(`${'['.repeat(100)}1${']'.repeat(100)}`, 1_000) ?? '', /^\[{64}"\[redacted\]"\]{64}$/);
});

test('a body stays on one line, and what it calls __proto__ is only a name', (t) => {
  t.notRegex(recordedBody('{"a":"\\u2028\\n"}', 100) ?? '', /[\p{Cc}\p{Zl}]/u);
  t.is(recordedBody('{"__proto__":{"a":1}}', 100), '{"__proto__":{"a":1}}');
});

test('a token is found wherever it stands in a text, and looking takes as long as the text is', (t) => {
  const token = 'eyJhbGciOiJIUzI1NiJ9.eyJjYW5hcnkiOjF9.canary';
  for (const text of [token, `Bearer ${token}`, `id.of.${token}`, `session-${token}`, `first.second.third-${token}.`])
    t.is(recorded(text), '[redacted]', text);
  for (const text of ['eyJhbGciOiJIUzI1NiJ9', 'keyJhbGciOiJIUzI1NiJ9.a.b', 'www.example.org.']) t.is(recorded(text), text);
  const long = 'eyJaaaaaaaa-'.repeat(20_000);
  const before = process.threadCpuUsage();
  t.truthy(recordedBody(JSON.stringify(long), 1_000_000));
  const { user } = process.threadCpuUsage(before);
  t.true(user < 1_000_000, `${user} µs`);
});
