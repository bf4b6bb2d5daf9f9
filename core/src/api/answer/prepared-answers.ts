import { jsonType, securityHeaders } from './answer.js';
import type { ListPage, Served, ServedKind } from '../../ports/engine.js';
import { listHead, listItems } from './object-view.js';
import { headLines } from './prepared-head.js';

/** An answer that is the same for all callers until its content changes. */
export interface PreparedAnswer {
  /** Names and values in turn, without the headers of the request itself. */
  readonly headers: readonly string[];
  /** The headers as text. */
  readonly lines: string;
  /** Short bodies as latin1, which keeps all bytes unchanged, to be written together with the head. */
  readonly body: string | Buffer;
  readonly bodyBytes: number;
}

/** Prepares answers to reads, once per change. */
export interface PreparedAnswers {
  object(served: Served): PreparedAnswer;
  list(kind: ServedKind, page: ListPage): PreparedAnswer;
}

interface CachedAnswer extends PreparedAnswer {
  /** The source of the answer. */
  readonly of: Served | ListPage;
  /** The serialized items of a list, with what follows them. */
  readonly items?: Uint8Array;
}

/** Up to this size, head and body in one string are cheaper than two writes. */
const textBytesMax = 8 * 1024;
const cachedBytesMax = 16 * 1024 * 1024;
/** Enough for a page of 100 large objects. */
const answerBytesMax = 2 * 1024 * 1024;
/** Memory that an answer needs besides its body. */
const overheadBytes = 1024;

/**
 * Keeps at most 16 MiB of answers; the oldest are evicted first. Lists are keyed by their items: for the same items at another
 * resourceVersion, only the head is made again.
 */
export function createPreparedAnswers(): PreparedAnswers {
  const cached = new Map<Served | ListPage['items'], CachedAnswer>();
  let bytes = 0;
  const forget = (key: Served | ListPage['items']): void => {
    const known = cached.get(key);
    if (known === undefined) return;
    cached.delete(key);
    bytes -= known.bodyBytes + overheadBytes;
  };
  const keep = (key: Served | ListPage['items'], answer: CachedAnswer): PreparedAnswer => {
    forget(key);
    if (answer.bodyBytes > answerBytesMax) return answer;
    cached.set(key, answer);
    bytes += answer.bodyBytes + overheadBytes;
    for (const oldest of cached.keys()) {
      if (bytes <= cachedBytesMax) break;
      forget(oldest);
    }
    return answer;
  };
  return {
    object: (served) => cached.get(served) ?? keep(served, prepared(served, served.bytes, ['ETag', `"${served.resourceVersion}"`])),
    list(kind, page) {
      const known = cached.get(page.items);
      if (known?.of === page) return known;
      const items = known?.items ?? listItems(page.items);
      const body = Buffer.concat([listHead(kind, page), items]);
      const answer = prepared(page, body, ['Vary', 'Accept, Accept-Encoding']);
      return keep(page.items, { ...answer, items: body.subarray(body.byteLength - items.byteLength) });
    },
  };
}

function prepared(of: Served | ListPage, bytes: Uint8Array, headers: readonly string[]): CachedAnswer {
  const body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const all = ['Content-Type', jsonType, 'Content-Length', String(body.byteLength), ...headers, ...securityHeaders];
  return {
    of,
    headers: all,
    lines: headLines(all),
    body: body.byteLength <= textBytesMax ? body.toString('latin1') : body,
    bodyBytes: body.byteLength,
  };
}
