import type { Strings } from '../values.js';

/** The headers that `isOfOtherSite` uses: an authenticator that calls it must list them in `reads`. */
export const siteHeaders: readonly string[] = ['sec-fetch-site', 'origin', 'host'];

/**
 * Whether a page of another site made a browser send a request. A cookie or a client certificate then proves nothing about the page's
 * right to make the request, since browsers attach them by themselves; a token that the page must set does. Programs other than browsers
 * send none of these headers; their requests are never cross-site.
 *
 * @source Fetch Metadata Request Headers, section 2; RFC 6454, section 7
 */
export function isOfOtherSite(headers: Strings): boolean {
  const { 'sec-fetch-site': site, origin, host } = headers;
  if (site !== undefined) return site !== 'same-origin' && site !== 'none';
  return origin !== undefined && origin !== `https://${host}`;
}
