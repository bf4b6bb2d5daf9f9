import { parseQuantity } from '@tappaas/sdk';

/** Excludes leap seconds, as Kubernetes does: date arithmetic cannot handle them, so a deadline at one would never be reached. */
const dateTime =
  /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])[Tt](?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;
const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const dnsName = /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/i;
const uuid = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;
const ipv4 = /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?!$)|$)){4}$/;
const email = /^[^\s@]{1,64}@[^\s@]{1,255}$/;
const date = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])$/;

const ifText = (rule: string, holds: (text: string) => boolean) => (value: unknown) =>
  typeof value !== 'string' || holds(value) ? undefined : rule;
const ifNumber = (rule: string, holds: (value: number) => boolean) => (value: unknown) =>
  typeof value !== 'number' || holds(value) ? undefined : rule;

/** Checks of each format, which return the violated rule. Formats that are not listed are informational and not checked. */
export const formats: ReadonlyMap<string, (value: unknown) => string | undefined> = new Map([
  ['date-time', ifText('must be a time as RFC 3339 writes it, such as 2026-01-31T08:00:00Z', (text) => dateTime.test(text))],
  ['date', ifText('must be a date such as 2026-01-31', (text) => date.test(text))],
  ['byte', ifText('must be base64 (RFC 4648)', (text) => base64.test(text))],
  [
    'int32',
    ifNumber(
      'must be a whole number between -2147483648 and 2147483647',
      (value) => value === Math.trunc(value) && Math.abs(value + 0.5) <= 2_147_483_648,
    ),
  ],
  // A JSON number outside this range has lost digits in parsing.
  ['int64', ifNumber('must be a whole number between -9007199254740991 and 9007199254740991', Number.isSafeInteger)],
  ['quantity', (value) => (parseQuantity(value) === undefined ? 'must be a quantity such as 250m, 1.5 or 512Mi' : undefined)],
  ['hostname', ifText('must be a DNS name', (text) => dnsName.test(text))],
  ['uuid', ifText('must be a UUID', (text) => uuid.test(text))],
  ['ipv4', ifText('must be an IPv4 address', (text) => ipv4.test(text))],
  ['email', ifText('must be an email address', (text) => email.test(text))],
  ['uri', ifText('must be an absolute URI', (text) => URL.canParse(text))],
  ['regex', ifText('must be a regular expression', isPattern)],
]);

function isPattern(text: string): boolean {
  try {
    return new RegExp(text, 'u') instanceof RegExp;
  } catch {
    return false;
  }
}
