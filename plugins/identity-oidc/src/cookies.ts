import { isOfOtherSite } from '@tappaas/sdk';

/** Names of cookies: the prefix binds them to this host, encrypted, whatever other hosts of the domain set. */
export const sessionCookie = '__Host-tappaas-session';
export const loginCookie = '__Host-tappaas-login';

const cookiesCharsMax = 16_384;

/** The value of a cookie in a `Cookie` header; nothing when it is not there or there twice. */
export function cookieValue(header: string | undefined, name: string): string | undefined {
  if (header === undefined || header.length > cookiesCharsMax) return undefined;
  const values = header
    .split(';')
    .map((part) => part.trim())
    .filter((part) => part.startsWith(`${name}=`))
    .map((part) => part.slice(name.length + 1));
  return values.length === 1 ? values[0] : undefined;
}

/** A `Set-Cookie` header; `lax` cookies come along when another site leads here, `strict` ones never do. */
export function setCookie(name: string, value: string, maxAgeSeconds: number, site: 'Lax' | 'Strict'): string {
  return `${name}=${value}; Path=/; Max-Age=${maxAgeSeconds}; Secure; HttpOnly; SameSite=${site}`;
}

/**
 * Says whether a request with a cookie was made by a page of this host, or typed by a person: another site's page can make a browser send
 * cookies, but neither set these headers nor read the answer.
 */
export function isOfThisSite(headers: Readonly<Record<string, string>>): boolean {
  const isTold = headers['sec-fetch-site'] !== undefined || headers['origin'] !== undefined;
  return isTold && !isOfOtherSite(headers);
}
