import type { Strings } from '../values.js';

/** The headers by which `isOfOtherSite` decides: an authenticator that asks it reads them. */
export const siteHeaders: readonly string[] = ['sec-fetch-site', 'origin', 'host'];

/**
 * Whether a page of another site made a browser send a request. A cookie or a client certificate, which browsers send along by themselves,
 * says nothing of the page's wishes then; a token that a page has to put there does. Programs other than browsers send nothing of the kind
 * and are of no other site.
 *
 * @source Fetch Metadata Request Headers, section 2; RFC 6454, section 7
 */
export function isOfOtherSite(headers: Strings): boolean {
  const { 'sec-fetch-site': site, origin, host } = headers;
  if (site !== undefined) return site !== 'same-origin' && site !== 'none';
  return origin !== undefined && origin !== `https://${host}`;
}
