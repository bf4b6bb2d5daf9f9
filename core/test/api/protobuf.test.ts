import test from 'ava';
import * as fc from 'fast-check';
import { messageFields } from '../../dist/api/protobuf/message-table.js';
import { decodeProtobufBody } from '../../dist/api/protobuf/protobuf-body.js';
import { startServer } from './running-server.ts';

const bytes = (...parts: (Uint8Array | string)[]): Buffer => Buffer.concat(parts.map((part) => Buffer.from(part)));

function varint(value: number | bigint): Uint8Array {
  let rest = BigInt.asUintN(64, BigInt(value));
  const out: number[] = [];
  do {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    out.push(rest === 0n ? low : low | 0x80);
  } while (rest !== 0n);
  return Uint8Array.from(out);
}

const text = (number: number, value: Uint8Array | string): Buffer =>
  bytes(varint(number * 8 + 2), varint(Buffer.from(value).byteLength), value);
const int = (number: number, value: number | bigint): Buffer => bytes(varint(number * 8), varint(value));
const body = (apiVersion: string, kind: string, ...fields: Uint8Array[]): Buffer =>
  bytes('k8s\0', text(1, bytes(text(1, apiVersion), text(2, kind))), text(2, bytes(...fields)), text(3, ''), text(4, ''));
const meta = (...fields: Uint8Array[]): Buffer => text(1, bytes(...fields));

test('a config map as kubectl sends it becomes the object it stands for', (t) => {
  // kubectl writes every field that is no pointer, empty or not; those were not set.
  const sent = body(
    'v1',
    'ConfigMap',
    meta(
      text(1, 'a'),
      text(2, ''),
      text(3, 'default'),
      text(5, ''),
      text(6, ''),
      int(7, 0),
      text(8, int(1, 0)),
      text(11, bytes(text(1, 'l'), text(2, '1'))),
    ),
    text(2, bytes(text(1, 'x'), text(2, 'ä'))),
    text(3, bytes(text(1, 'b'), text(2, Uint8Array.of(0, 255)))),
  );
  t.deepEqual<unknown, unknown>(decodeProtobufBody(sent), {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'a', namespace: 'default', labels: { l: '1' } },
    data: { x: 'ä' },
    binaryData: { b: 'AP8=' },
  });
});

test('fields that were set to zero are kept, and unset fields are absent', (t) => {
  const sent = body('apps/v1', 'Deployment', text(2, bytes(int(1, 0), int(5, 0), int(7, 0), int(9, 600))));
  t.deepEqual(decodeProtobufBody(sent)['spec'], { replicas: 0, progressDeadlineSeconds: 600 });
});

test('a status that is written although nothing in it was set is absent', (t) => {
  const status = text(3, int(3, 0));
  const review = decodeProtobufBody(body('authorization.k8s.io/v1', 'SelfSubjectRulesReview', text(2, text(1, 'default')), status));
  t.deepEqual<unknown, unknown>(review, {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SelfSubjectRulesReview',
    spec: { namespace: 'default' },
  });
  const scaled = decodeProtobufBody(body('apps/v1', 'Deployment', text(2, int(1, 0)), text(3, int(1, 0))));
  t.deepEqual<unknown, unknown>(scaled, { apiVersion: 'apps/v1', kind: 'Deployment', spec: { replicas: 0 } });
});

test('times, quantities, numbers or words, and embedded fields take the form they have in JSON', (t) => {
  const port = text(3, text(1, bytes(int(1, 1), text(3, 'http'))));
  const probe = text(1, bytes(port));
  const container = bytes(text(1, 'web'), text(8, text(1, bytes(text(1, 'cpu'), text(2, text(1, '250m'))))), text(10, probe));
  const volume = bytes(text(1, 'v'), text(2, text(2, text(1, 'Memory'))));
  const sent = body('v1', 'Pod', meta(text(9, int(1, 1_700_000_000))), text(2, bytes(text(1, volume), text(2, container))));
  const { metadata, spec } = decodeProtobufBody(sent) as unknown as { metadata: object; spec: object };
  t.deepEqual(metadata, { deletionTimestamp: '2023-11-14T22:13:20Z' });
  t.deepEqual(spec, {
    volumes: [{ name: 'v', emptyDir: { medium: 'Memory' } }],
    containers: [{ name: 'web', resources: { limits: { cpu: '250m' } }, livenessProbe: { tcpSocket: { port: 'http' } } }],
  });
});

test('a lease has times of a microsecond', (t) => {
  const sent = body('coordination.k8s.io/v1', 'Lease', text(2, text(4, bytes(int(1, 1_700_000_000), int(2, 123_456_000)))));
  t.deepEqual(decodeProtobufBody(sent)['spec'], { renewTime: '2023-11-14T22:13:20.123456Z' });
});

test('negative numbers are ten bytes and come back negative', (t) => {
  t.is(decodeProtobufBody(body('scheduling.k8s.io/v1', 'PriorityClass', int(2, -5)))['value'], -5);
});

test('fields that the tables do not know are skipped', (t) => {
  const fields = [
    bytes(varint(99 * 8 + 5), Uint8Array.of(1, 2, 3, 4)),
    bytes(varint(98 * 8 + 1), new Uint8Array(8)),
    int(97, 1),
    text(96, 'x'),
  ];
  t.deepEqual<unknown, unknown>(decodeProtobufBody(body('v1', 'ConfigMap', ...fields)), { apiVersion: 'v1', kind: 'ConfigMap' });
});

test('a key called __proto__ is a key', (t) => {
  const { data } = decodeProtobufBody(body('v1', 'ConfigMap', text(2, bytes(text(1, '__proto__'), text(2, 'x'))))) as unknown as {
    data: object;
  };
  t.deepEqual(Object.keys(data), ['__proto__']);
  t.is(Object.getPrototypeOf(data), Object.prototype);
});

test('random bytes are decoded or refused, in time and without anything else thrown', (t) => {
  const start = body('v1', 'Pod', meta(text(1, 'a')), text(2, bytes(text(2, text(1, 'c')))));
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(start.byteLength - 1), fc.nat(255)), { minLength: 1, maxLength: 8 }), (changes) => {
      const changed = Buffer.from(start);
      for (const [position, byte] of changes) changed[position] = byte;
      try {
        decodeProtobufBody(changed);
      } catch (error) {
        return error instanceof Error && error.constructor.name === 'WireError';
      }
      return true;
    }),
    { numRuns: 2000 },
  );
  t.pass();
});

test('no message can stand inside of itself, so a body cannot nest without end', (t) => {
  const depthOf = (name: string, above: readonly string[]): number => {
    t.false(above.includes(name), [...above, name].join(' > '));
    const types = [...(messageFields(name) ?? new Map()).values()]
      .map(({ type }: { type: string }) => type)
      .filter((type) => type.includes('.'));
    return 1 + Math.max(0, ...types.map((type) => depthOf(type, [...above, name])));
  };
  t.true(depthOf('io.k8s.api.apps.v1.Deployment', []) < 20);
  t.true(depthOf('io.k8s.api.batch.v1.CronJob', []) < 20);
});

test('the engine is given the JSON of a protobuf body', async (t) => {
  const { ask, engine } = await startServer(t);
  const sent = body('v1', 'ConfigMap', meta(text(1, 'a')), text(2, bytes(text(1, 'x'), text(2, '1'))));
  const headers = { 'content-type': 'application/vnd.kubernetes.protobuf' };
  const answer = await ask('/api/v1/namespaces/default/configmaps', { method: 'POST', body: sent, headers });
  t.is(answer.status, 201);
  const write = engine.writes[0]?.write;
  t.true(write?.verb === 'create' && write.mediaType === 'json');
  t.deepEqual(answer.json.data, { x: '1' });
});
