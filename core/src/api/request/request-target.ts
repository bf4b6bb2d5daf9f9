import { requestInfo, type RequestInfo } from './request-info.js';
import { parseRequestPath, type RequestPath } from './request-path.js';

/** A parsed request line. */
export interface RequestTarget {
  readonly path: RequestPath;
  readonly info: RequestInfo;
}

const linesMax = 4096;
const lineCharsMax = 256;

/**
 * Makes a parser of request lines that caches reads without a query, because the same few recur. Cached results are frozen, because
 * requests share them. At most 4,096 short lines, about 4 MiB.
 */
export function createTargetReader(): (method: string, target: string) => RequestTarget {
  const known = new Map<string, RequestTarget>();
  return (method, target) => {
    if (method !== 'GET') return read(method, target);
    const found = known.get(target);
    if (found !== undefined) return found;
    const made = read(method, target);
    if (target.length > lineCharsMax || target.includes('?')) return made;
    const oldest = known.size >= linesMax ? known.keys().next().value : undefined;
    if (oldest !== undefined) known.delete(oldest);
    known.set(target, Object.freeze(made));
    return made;
  };
}

/** @throws TAP_REQUEST_PATH_INVALID */
function read(method: string, target: string): RequestTarget {
  const path = parseRequestPath(target);
  return { path, info: requestInfo(method, path) };
}
