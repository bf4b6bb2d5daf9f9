import { isOfOtherSite } from '@tappaas/sdk';

/**
 * Names of the cookies. The prefix makes browsers bind them to this host and to https, so that other hosts of the domain cannot set them.
 */
export const sessionCookie = '__Host-tappaas-session';
export const loginCookie = '__Host-tappaas-login';

const cookiesCharsMax = 16_384;

/** The value of a cookie in a `Cookie` header; undefined when it is missing or occurs twice. */
export function cookieValue(header: string | undefined, name: string): string | undefined {
  if (header === undefined || header.length > cookiesCharsMax) return undefined;
  const values = header
    .split(';')
    .map((part) => part.trim())
    .filter((part) => part.startsWith(`${name}=`))
    .map((part) => part.slice(name.length + 1));
  return values.length === 1 ? values[0] : undefined;
}

/** A `Set-Cookie` header. `Lax` cookies are also sent when a link of another site leads here, `Strict` ones are not. */
export function setCookie(name: string, value: string, maxAgeSeconds: number, site: 'Lax' | 'Strict'): string {
  return `${name}=${value}; Path=/; Max-Age=${maxAgeSeconds}; Secure; HttpOnly; SameSite=${site}`;
}

/**
 * Whether a request with a cookie was made by a page of this host or by the user directly. A page of another site can make a browser send
 * cookies, but can neither set these headers nor read the response.
 */
export function isOfThisSite(headers: Readonly<Record<string, string>>): boolean {
  const isLabelled = headers['sec-fetch-site'] !== undefined || headers['origin'] !== undefined;
  return isLabelled && !isOfOtherSite(headers);
}
