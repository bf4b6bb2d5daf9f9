import test from 'ava';
import * as fc from 'fast-check';
import { formatQuantity, isSameQuantity, parseQuantity, quantityNumber, quantityPieces } from '@tappaas/sdk';

test('quantities have the notation that kube-apiserver answers', (t) => {
  const rows = {
    '1000m': '1',
    '0.5': '500m',
    '1.5Gi': '1536Mi',
    '1024Mi': '1Gi',
    '100': '100',
    '1000': '1k',
    '1500': '1500',
    '1e3': '1e3',
    '12e4': '120e3',
    '0': '0',
    '-0.25': '-250m',
    '0.1Ki': '102400m',
    '1Ki': '1Ki',
    '1000Ki': '1000Ki',
    '512': '512',
    '0.0000000001': '1n',
    '3E': '3E',
    '500Mi': '500Mi',
    '1M': '1M',
    '+5': '5',
    '.5': '500m',
    '5.': '5',
    '1u': '1u',
  };
  for (const [text, expected] of Object.entries(rows)) {
    const quantity = parseQuantity(text);
    t.is(quantity && formatQuantity(quantity), expected, text);
  }
  for (const bad of ['', '.', 'm', '1.2.3', '1 m', '1K', '1e', `1${'0'.repeat(100)}`, 'NaN', 'Infinity', undefined, {}])
    t.is(parseQuantity(bad), undefined, JSON.stringify(bad));
});

test('a formatted quantity is the same amount, and formatting it again changes nothing', (t) => {
  const text = fc.tuple(
    fc.integer({ min: -100_000, max: 100_000 }),
    fc.nat(999),
    fc.constantFrom('', 'n', 'u', 'm', 'k', 'M', 'G', 'Ki', 'Mi', 'Gi', 'e2', 'e-3', 'E'),
  );
  fc.assert(
    fc.property(text, ([whole, fraction, suffix]) => {
      const quantity = parseQuantity(`${whole}.${fraction}${suffix}`);
      if (quantity === undefined) return;
      const formatted = formatQuantity(quantity);
      t.is(parseQuantity(formatted)?.nanos, quantity.nanos);
      t.is(formatQuantity(parseQuantity(formatted) ?? quantity), formatted);
    }),
  );
  t.pass();
});

for (const [one, other, same] of [
  ['1Gi', '1024Mi', true],
  ['0.1', '100m', true],
  ['150m', '0.15', true],
  ['1.5Gi', '1536Mi', true],
  ['1e3', '1k', true],
  ['1000000000n', '1', true],
  ['1', 1, true],
  ['1G', '1Gi', false],
  ['', '0', false],
  ['abc', 'abc', false],
  ['1x', '1', false],
] as const) {
  test(`${one} and ${other} are ${same ? 'one quantity' : 'different or no quantities'}`, (t) => {
    t.is(isSameQuantity(one, other), same);
  });
}

test('an amount ends where Kubernetes stores no more, and begins at a billionth', (t) => {
  const most = (2n ** 63n - 1n) * 1_000_000_000n;
  for (const text of ['8Ei', '9e999999999', '9'.repeat(64), '1e129']) t.is(parseQuantity(text)?.nanos, most, text);
  for (const text of ['1e-999999999', '1e-10', '0.0000000001']) t.is(parseQuantity(text)?.nanos, 1n, text);
  for (const text of ['0e999999999', '-0', '0.000Ki']) t.is(parseQuantity(text)?.nanos, 0n, text);
  t.is(parseQuantity('1'.repeat(65)), undefined);
  t.is(parseQuantity('-8Ei')?.nanos, -most);
});

test('pieces are counted away from zero, so that nothing is free', (t) => {
  const pieces = (text: string, by: bigint) => quantityPieces(parseQuantity(text) ?? { nanos: -1n, notation: 'decimal' }, by);
  t.is(pieces('250m', 1_000_000n), 250n);
  t.is(pieces('0.035', 1_000_000n), 35n);
  t.is(pieces('1n', 1_000_000n), 1n);
  t.is(pieces('-1500m', 1_000_000_000n), -2n);
  t.is(pieces('1.5Gi', 1_000_000_000n), 3n * 2n ** 29n);
  t.throws(() => pieces('1', 0n), { instanceOf: RangeError });
});

test('a quantity read as a number is exact for whole units and rounded once for fractions', (t) => {
  const rows: Readonly<Record<string, number>> = {
    '100m': 0.1,
    '1.5Gi': 1.5 * 2 ** 30,
    '8193Ki': 8193 * 1024,
    '9007199254740991': 2 ** 53 - 1,
    '-0.25': -0.25,
  };
  for (const [text, number] of Object.entries(rows)) t.is(quantityNumber(text), number, text);
  t.is(quantityNumber('lots'), undefined);
});
