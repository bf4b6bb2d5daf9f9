import { generateKeyPairSync, sign } from 'node:crypto';
import test from 'ava';
import { assert as check, asyncProperty, constantFrom, integer, string } from 'fast-check';
import { genesis } from '../../../dist/telemetry/audit/chain.js';
import { checkpointText } from '../../../dist/telemetry/audit/checkpoint.js';
import { ownEvents } from '../../../dist/telemetry/audit/own-event.js';
import { keyId } from '../../../dist/telemetry/audit/signing-key.js';
import { Verifier, verifyChain, type Verification } from '../../../dist/telemetry/audit/verify.js';
import { ChainWriter } from './chain-writer.ts';

const { publicKey, privateKey } = generateKeyPairSync('ed25519');
const pem = publicKey.export({ type: 'spki', format: 'pem' });
const key = { id: keyId(publicKey), publicPem: pem, sign: (text: string) => sign(null, Buffer.from(text), privateKey).toString('base64') };

const count = 12;
const event = (n: number) => `{"verb":"get","note":"${n}"}`;
const written = new ChainWriter('r0', genesis);
const log = Array.from({ length: count }, (_, n) => written.append(event(n + 1)).text);

function checkpoint(sequence: number): string {
  const { hash } = JSON.parse(log[sequence - 1] ?? '') as { hash: string };
  return checkpointText({ chain: 'r0', sequence, hash, at: '2026-01-02T03:04:05.000Z', appended: sequence, final: false }, key);
}

const checkpoints = [checkpoint(4), checkpoint(8), checkpoint(count)];
const verify = (lines: readonly string[], vouchers: readonly string[] = checkpoints): Promise<Verification> =>
  verifyChain('r0', { lines, checkpoints: vouchers, keys: [pem] });

/** A chain of the same events from `from` on, where `change` gives another one: what somebody could write who has no key. */
function forged(from: number, change: (n: number) => string): readonly string[] {
  const before = log[from - 2];
  const end = before === undefined ? genesis : { sequence: from - 1, hash: (JSON.parse(before) as { hash: string }).hash };
  const chain = new ChainWriter('r0', end);
  return [...log.slice(0, from - 1), ...log.slice(from - 1).map((_, n) => chain.append(change(from + n)).text)];
}

test('a log as it was written is good, and says how far checkpoints vouch for it', async (t) => {
  const { bad, notes, ...found } = await verify(log);
  t.is(bad, undefined);
  t.deepEqual(notes, []);
  t.deepEqual(found, { chain: 'r0', lines: count, first: 1, last: count, vouchedTo: count });
  t.regex((await verify(log, [checkpoint(8)])).notes.join(), /no checkpoint vouches for lines 9 to 12/);
});

test('an edited line is named', async (t) => {
  const { bad } = await verify(log.with(5, (log[5] ?? '').replace('"verb":"get"', '"verb":"put"')));
  t.deepEqual(bad, { sequence: 6, message: 'line 6 was edited: its hash is another one' });
});

test('a line that was edited and given the hash that fits is named, because the next one follows another', async (t) => {
  const { bad } = await verify(log.with(5, forged(6, () => '{"verb":"put"}')[5] ?? ''));
  t.is(bad?.sequence, 6);
});

test('a deleted line is named', async (t) => {
  t.deepEqual((await verify(log.toSpliced(5, 1))).bad, { sequence: 6, message: 'line 6 was deleted' });
  t.deepEqual((await verify(log.toSpliced(5, 3))).bad, { sequence: 6, message: 'lines 6 to 8 were deleted' });
});

test('lines in another order are named as that', async (t) => {
  const swapped = log.with(5, log[8] ?? '').with(8, log[5] ?? '');
  t.deepEqual((await verify(swapped)).bad, { sequence: 6, message: 'line 6 is not in its place: lines were put into another order' });
});

test('lines that were cut off are missed by the checkpoints', async (t) => {
  t.regex((await verify(log.slice(0, 9))).bad?.message ?? '', /^lines 10 to 12 were cut off/);
  t.regex((await verify([])).bad?.message ?? '', /^lines 1 to 12 were cut off/);
});

test('an inserted line is named, whether it is a copy, made up, of another chain or no line at all', async (t) => {
  t.is((await verify(log.toSpliced(6, 0, log[2] ?? ''))).bad?.sequence, 3);
  t.is((await verify(log.toSpliced(6, 0, forged(7, () => '{"verb":"put"}')[6] ?? ''))).bad?.sequence, 7);
  t.is((await verify(log.toSpliced(6, 0, new ChainWriter('r1', { sequence: 6, hash: genesis.hash }).append('{}').text))).bad?.sequence, 7);
  t.is((await verify(log.toSpliced(6, 0, ''))).bad?.sequence, 7);
});

test('a log written anew from some line on does not fit its checkpoints, and they cannot be made without the key', async (t) => {
  const anew = forged(6, (n) => event(n * 10));
  t.deepEqual((await verify(anew)).bad?.sequence, 5, 'the first that the checkpoint of line 4 does not vouch for');
  const { privateKey: other } = generateKeyPairSync('ed25519');
  const stolen = { ...key, sign: (text: string) => sign(null, Buffer.from(text), other).toString('base64') };
  const { hash } = JSON.parse(anew.at(-1) ?? '') as { hash: string };
  const madeUp = checkpointText({ chain: 'r0', sequence: count, hash, at: '', appended: count, final: true }, stolen);
  const { vouchedTo, notes } = await verify(anew, [madeUp]);
  t.is(vouchedTo, 0);
  t.regex(notes.join(), /has a wrong signature/);
});

test('a checkpoint is looked at a few times, however many lines there are', (t) => {
  let looks = 0;
  const many = log.map((_, index) => {
    const { sequence, hash } = JSON.parse(log[index] ?? '') as { sequence: number; hash: string };
    const made = { chain: 'r0', sequence, hash, at: '', appended: sequence, final: false, keyId: key.id };
    return Object.defineProperty(made, 'sequence', { get: () => ((looks += 1), index + 1) });
  });
  const verifier = new Verifier('r0', many);
  for (const text of log) t.is(verifier.take(text), 'more');
  t.is(verifier.conclude([]).vouchedTo, count);
  t.true(looks <= 3 * count, `${looks} looks at ${count} checkpoints`);
});

test('the oldest lines may be gone only as far as the log itself has said before', async (t) => {
  t.deepEqual((await verify(log.slice(3))).bad?.sequence, 1);
  const chain = new ChainWriter('r0', genesis);
  const own = ownEvents('r0', () => 0);
  const texts = [event(1), event(2), event(3), own('remove', { 'audit-removes-before': '3' }), event(5)];
  const lines = texts.map((text) => chain.append(text).text);
  t.is((await verify(lines.slice(2), [])).bad, undefined);
  t.deepEqual((await verify(lines.slice(3), [])).bad?.sequence, 3);
  const pretended = new ChainWriter('r0', genesis);
  const others = [
    '{"user":{"username":"joe"},"requestURI":"/audit","annotations":{"tappaas.dev/audit-removes-before":"3"}}',
    event(2),
    event(3),
  ];
  const withTheirs = others.map((text) => pretended.append(text).text);
  t.is((await verify(withTheirs.slice(1), [])).bad?.sequence, 1, 'what callers send removes nothing');
});

test('whatever is changed in a line, taken out, put in or moved, is found', async (t) => {
  const ways = ['edit', 'delete', 'insert', 'move', 'truncate'] as const;
  await check(
    asyncProperty(
      constantFrom(...ways),
      integer({ min: 0, max: count - 1 }),
      integer({ min: 0, max: 400 }),
      string(),
      async (way, at, place, text) => {
        const line = log[at] ?? '';
        const changed = {
          edit: () => log.with(at, line.slice(0, place % line.length) + text + line.slice((place % line.length) + 1)),
          delete: () => log.toSpliced(at, 1),
          insert: () => log.toSpliced(at, 0, place % 2 === 0 ? text : (log[place % count] ?? '')),
          move: () => log.toSpliced(at, 1).toSpliced(place % count, 0, line),
          truncate: () => log.slice(0, at),
        }[way]();
        const isSame = changed.length === log.length && changed.every((each, n) => each === log[n]);
        const { bad } = await verify(changed);
        t.is(bad === undefined, isSame);
      },
    ),
    { numRuns: 2_000 },
  );
});
