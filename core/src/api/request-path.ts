import { apiErrors } from './errors.js';

/** A request's target, split: segments are decoded, `path` is what was sent, without the query. */
export interface RequestPath {
  readonly path: string;
  readonly query: string;
  readonly segments: readonly string[];
}

const pathCharsMax = 4096;
const queryCharsMax = 12_288;
const plain = /^(?:\/[A-Za-z0-9_~!$&'()*+,;=:@.-]+)+\/?$/;
const allowed = /^[A-Za-z0-9_~!$&'()*+,;=:@.%/-]*$/;
/** Encoded slash, backslash, percent and control characters: two readers of the path would disagree about it. */
const ambiguous = /%(?:2f|5c|25|[01][0-9a-f]|7f)/i;

/**
 * Splits a request target. Refused is every form that a proxy, Express and we could read differently: encoded slashes, empty and dot
 * segments, backslashes, control characters, broken escapes.
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
  if (segments.at(-1) === '') segments.pop();
  return { path, query, segments };
}

function refuseAmbiguous(path: string): void {
  if (!path.startsWith('/')) throw invalid('the request target is not a path; expected it to start with "/"');
  if (!allowed.test(path)) throw invalid('the path holds a character that must be escaped in a URL');
  if (path.includes('//')) throw invalid('the path holds an empty segment');
  if (ambiguous.test(path)) throw invalid('the path holds an encoded slash, backslash, percent sign or control character');
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

function invalid(message: string): Error {
  return apiErrors.TAP_REQUEST_PATH_INVALID({ message });
}
