import test from 'ava';
import * as fc from 'fast-check';
import { amountMax, amountOf } from '../../dist/schedule/quantity.js';

const table: readonly (readonly [resource: string, quantity: string | number, amount: number])[] = [
  ['cpu', '1', 1000],
  ['cpu', 2, 2000],
  ['cpu', '250m', 250],
  ['cpu', '0.1', 100],
  ['cpu', '1.5', 1500],
  ['cpu', '.5', 500],
  ['cpu', '5.', 5000],
  ['cpu', '100u', 1],
  ['cpu', '1n', 1],
  ['cpu', '1k', 1_000_000],
  ['cpu', '1e3', 1_000_000],
  ['cpu', '0', 0],
  ['cpu', '0.000', 0],
  ['memory', '128974848', 128_974_848],
  ['memory', '129e6', 129_000_000],
  ['memory', '129M', 129_000_000],
  ['memory', '123Mi', 128_974_848],
  ['memory', '128974848000m', 128_974_848],
  ['memory', '1500m', 2],
  ['memory', '1E', 10 ** 18],
  ['memory', '1E3', 1000],
  ['memory', '1e-3', 1],
  ['memory', '0.5Ki', 512],
  ['memory', '1Ei', amountMax],
  ['memory', '9e999999999', amountMax],
  ['memory', '1e-999999999', 1],
  ['memory', '0e999999999', 0],
  ['memory', '+1Gi', 1_073_741_824],
  ['pods', '110', 110],
];

for (const [resource, quantity, amount] of table) {
  test(`${quantity} of ${resource} is ${amount}`, (t) => {
    t.is(amountOf(resource, quantity), Math.min(amount, amountMax));
  });
}

for (const wrong of ['', '-1', '1.2.3', 'Mi', '.', '1 Gi', '1gi', '1mi', 'NaN', '0x10', '1e', `1${'0'.repeat(64)}`]) {
  test(`${JSON.stringify(wrong.slice(0, 20))} is refused by name`, (t) => {
    t.throws(() => amountOf('memory', wrong), { code: 'TAP_SCHEDULE_QUANTITY_INVALID', message: /^quantity of memory/ });
  });
}

test('an amount is exact where a fraction would not be, and never less than what was written', (t) => {
  const digits = fc.bigInt({ min: 0n, max: 10n ** 15n });
  fc.assert(
    fc.property(digits, fc.integer({ min: 0, max: 12 }), (value, decimals) => {
      const unit = 10n ** BigInt(decimals);
      const text = decimals === 0 ? `${value}` : `${value / unit}.${String(value % unit).padStart(decimals, '0')}`;
      const expected = (value * 1000n + unit - 1n) / unit;
      t.is(BigInt(amountOf('cpu', text)), expected > BigInt(amountMax) ? BigInt(amountMax) : expected);
    }),
  );
});
