import { remembered } from './json-text.js';

/** Matched anywhere in a name. */
const secretNames =
  /(?:token|secret|passw|credential|authorization|api[-_]?key|signature|cookie|code|state|assertion|e-?mail|login[-_]?hint)/i;
/** Matched as a whole word of a name, such as `sig`, `X-Amz-Sig` or `userPwd`, but not in `design` or `author`. */
const secretWords: ReadonlySet<string> = new Set([
  'auth',
  'bearer',
  'hmac',
  'jwt',
  'key',
  'login',
  'mail',
  'msisdn',
  'nonce',
  'otp',
  'pass',
  'phone',
  'pin',
  'pwd',
  'sas',
  'sid',
  'sig',
  'subject',
  'ticket',
  'username',
]);
const charsMax = 1024;
const namesMax = 1_000;
/** Longest name that is cached. */
const nameCharsMax = 64;

/**
 * Returns path and query as recorded by audit: values under names that suggest credentials or personal data are removed, the rest is
 * unchanged.
 * Names of callers (`user`) are the subject of the log, and stay.
 */
export function requestUri(path: string, query: string): string {
  const uri = query === '' ? path : `${path}?${query.split('&').map(withoutSecret).join('&')}`;
  return uri.length > charsMax ? `${uri.slice(0, charsMax)}…` : uri;
}

function withoutSecret(pair: string): string {
  const end = pair.indexOf('=');
  const name = pair.slice(0, Math.max(0, end));
  const isHidden = end >= 0 && (name.length > nameCharsMax ? isSecret(decoded(name)) : isKnownSecret(name));
  return isHidden ? `${name}=[redacted]` : pair;
}

/** Cached, because programs use the same few names repeatedly. */
const isKnownSecret = remembered(namesMax, (name) => isSecret(decoded(name)));

function isSecret(name: string): boolean {
  return secretNames.test(name) || wordsOf(name).some((word) => secretWords.has(word));
}

function wordsOf(name: string): readonly string[] {
  return name
    .replace(/([a-z0-9])(?=[A-Z])/g, '$1 ')
    .toLowerCase()
    .split(/[^a-z]+/);
}

/** A name that cannot be decoded counts as secret. */
function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return 'secret';
  }
}
