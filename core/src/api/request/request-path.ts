import { apiErrors } from '../errors.js';

/** A split request target: segments are decoded; `path` is the canonical spelling, without the query. */
export interface RequestPath {
  readonly path: string;
  readonly query: string;
  readonly segments: readonly string[];
}

const pathCharsMax = 4096;
const queryCharsMax = 12_288;
const plain = /^(?:\/[A-Za-z0-9_~!$&'()*+,;=:@.-]+)+\/?$/;
const allowed = /^[A-Za-z0-9_~!$&'()*+,;=:@.%/-]*$/;
/** Encoded slash, backslash, percent and control characters, which parsers interpret differently. */
const ambiguous = /%(?:2f|5c|25|[01][0-9a-f]|7f)/i;
/** Escapes of unreserved characters (letters, digits and `-._~`), which hide the path from a text comparison. */
const needless = /%(?:2[de]|3\d|[46][1-9a-f]|[57][\da]|5f|7e)/i;
/** Escapes by `encodeURIComponent` of characters that a segment may contain. */
const escapedByClients = /%(?:24|26|2B|2C|3A|3B|3D|40)/g;

/**
 * Splits a request target. Refuses all forms that a proxy, Express and we could interpret differently: encoded slashes, empty and dot
 * segments, backslashes, control characters, broken or unnecessary escapes. Other escapes are normalized.
 *
 * @throws TAP_REQUEST_PATH_INVALID
 */
export function parseRequestPath(target: string): RequestPath {
  const mark = target.indexOf('?');
  const path = mark < 0 ? target : target.slice(0, mark);
  const query = mark < 0 ? '' : target.slice(mark + 1);
  if (path.length > pathCharsMax) throw invalid(`the path has ${path.length} characters, at most ${pathCharsMax} are served`);
  if (query.length > queryCharsMax) throw invalid(`the query has ${query.length} characters, at most ${queryCharsMax} are served`);
  if (path === '/') return { path, query, segments: [] };
  if (!plain.test(path)) refuseAmbiguous(path);
  const segments = path.slice(1).split('/').map(decode);
  const spelt = path.includes('%') ? `/${segments.map(spell).join('/')}` : path;
  if (segments.at(-1) === '') segments.pop();
  return { path: spelt, query, segments };
}

function refuseAmbiguous(path: string): void {
  if (!path.startsWith('/')) throw invalid('the request target is not a path; expected it to start with "/"');
  if (!allowed.test(path)) throw invalid('the path holds a character that must be escaped in a URL');
  if (path.includes('//')) throw invalid('the path holds an empty segment');
  if (ambiguous.test(path)) throw invalid('the path holds an encoded slash, backslash, percent sign or control character');
  if (needless.test(path)) throw invalid('the path holds an escaped letter, digit, "-", ".", "_" or "~"; send it as it is');
}

function decode(segment: string): string {
  let decoded = segment;
  if (segment.includes('%')) {
    try {
      decoded = decodeURIComponent(segment);
    } catch {
      throw invalid('the path holds a broken escape sequence');
    }
  }
  if (decoded === '.' || decoded === '..') throw invalid('the path holds a dot segment');
  return decoded;
}

/** Escapes only what a segment may not contain, in upper case. */
const spell = (segment: string): string => encodeURIComponent(segment).replace(escapedByClients, decodeURIComponent);

function invalid(message: string): Error {
  return apiErrors.TAP_REQUEST_PATH_INVALID({ message });
}
