import test from 'ava';
import { auditQuery } from '../../../dist/telemetry/audit/audit-query.js';
import { genesis } from '../../../dist/telemetry/audit/chain.js';
import { foundIn, scannedMax, searchLines, type ReadLines } from '../../../dist/telemetry/audit/search.js';
import { ChainWriter } from './chain-writer.ts';

const chain = new ChainWriter('r0', genesis);
const event = (n: number) => ({
  auditID: `r0-${n}`,
  stage: 'ResponseComplete',
  verb: n % 2 === 0 ? 'get' : 'create',
  requestURI: '/x',
  user: { username: n % 3 === 0 ? 'ann' : 'joe' },
  ...(n % 5 === 0 && { impersonatedUser: { username: 'eve' } }),
  objectRef: { resource: 'pods', namespace: 'shop', name: `p${n}`, ...(n % 4 === 0 && { subresource: 'log' }) },
  responseStatus: { code: n % 7 === 0 ? 403 : 200 },
  requestReceivedTimestamp: new Date(n * 1_000).toISOString(),
  stageTimestamp: new Date(n * 1_000).toISOString(),
  annotations: { 'tappaas.dev/tenant': 'acme' },
});
const lines = Array.from({ length: 3_000 }, (_, n) => chain.append(JSON.stringify(event(n + 1))));
const read: ReadLines = async (before, max) => {
  const end = Math.min(lines.length, Number.isFinite(before) ? before - 1 : lines.length);
  return lines.slice(Math.max(0, end - max), end).toReversed();
};
const ask = async (parameters: Readonly<Record<string, string>>) => {
  const { query, range } = auditQuery(parameters);
  return searchLines(read, query, range);
};
const numbers = ({ items }: { readonly items: readonly { readonly sequence: number }[] }) => items.map(({ sequence }) => sequence);

test('events come newest first, as many as asked for, and say where to go on', async (t) => {
  const first = await ask({ limit: '3' });
  t.deepEqual(numbers(first), [3_000, 2_999, 2_998]);
  t.is(first.newest, 3_000);
  const next = await ask({ limit: '3', before: String(first.before) });
  t.deepEqual(numbers(next), [2_997, 2_996, 2_995]);
  t.deepEqual(numbers(await ask({ limit: '10', before: '3' })), [2, 1]);
  t.is((await ask({ limit: '10', before: '3' })).before, undefined);
});

test('every filter leaves out what it is not for', async (t) => {
  const expected = (fits: (n: number) => boolean) =>
    Array.from({ length: 3_000 }, (_, n) => 3_000 - n)
      .filter(fits)
      .slice(0, 20);
  const cases: readonly [Readonly<Record<string, string>>, (n: number) => boolean][] = [
    [{ user: 'ann' }, (n) => n % 3 === 0],
    [{ user: 'eve' }, (n) => n % 5 === 0],
    [{ verb: 'create' }, (n) => n % 2 === 1],
    [{ resource: 'pods' }, () => true],
    [{ resource: 'pods/log' }, (n) => n % 4 === 0],
    [{ namespace: 'other' }, () => false],
    [{ name: 'p17' }, (n) => n === 17],
    [{ requestId: 'r0-21' }, (n) => n === 21],
    [{ tenant: 'acme', code: '403' }, (n) => n % 7 === 0],
    [{ since: new Date(2_990_000).toISOString(), until: new Date(2_995_000).toISOString() }, (n) => n >= 2_990 && n <= 2_995],
    [{ after: '2995' }, (n) => n > 2_995],
  ];
  for (const [parameters, fits] of cases)
    t.deepEqual(numbers(await ask({ ...parameters, limit: '20' })), expected(fits), JSON.stringify(parameters));
});

test('one search looks at a bounded part of the log', async (t) => {
  let scanned = 0;
  const endless: ReadLines = async (before, max) => {
    scanned += max;
    const from = Number.isFinite(before) ? before : 10_000_000;
    return Array.from({ length: max }, (_, n) => ({ chain: 'r0', sequence: from - 1 - n, text: lines[0]?.text ?? '' }));
  };
  const { query, range } = auditQuery({ user: 'nobody' });
  const { items, before } = await searchLines(endless, query, range);
  t.deepEqual(items, []);
  t.is(scanned, scannedMax);
  t.is(before, 10_000_000 - scannedMax);
});

test('a parameter that is unknown, no number, no time or out of bounds is refused by its name', (t) => {
  for (const [name, value] of [
    ['usr', 'x'],
    ['limit', '0'],
    ['limit', '1001'],
    ['before', '-1'],
    ['code', 'x'],
    ['since', 'yesterday'],
  ] as const) {
    t.throws(() => auditQuery({ [name]: value }), { code: 'TAP_AUDIT_QUERY_INVALID', message: new RegExp(`parameter ${name} `) });
  }
});

test('lines that are none are never found', (t) => {
  for (const text of ['', '{}', '{"chain":"r0"', (lines[0]?.text ?? '').replace('"event":{', '"event":{broken ')])
    t.is(foundIn(text, {}), undefined);
});
