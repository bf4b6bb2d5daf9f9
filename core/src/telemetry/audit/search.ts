import type { AuditLine } from '@tappaas/sdk';
import { matches, type AuditedEvent, type AuditQuery, type AuditRange } from './audit-query.js';
import { parseLine } from './chain.js';

/** One event and its position in the log. */
export interface FoundEvent {
  readonly chain: string;
  readonly sequence: number;
  readonly event: AuditedEvent;
}

/** Events newest first. */
export interface FoundEvents {
  readonly items: readonly FoundEvent[];
  /** Continue with lines before this number; absent when there are no more. */
  readonly before?: number;
  /** Number of the newest line that was scanned, whether it matched or not. */
  readonly newest?: number;
}

/** Reads lines before a number, newest first; an empty list means there are no older ones. */
export type ReadLines = (before: number, max: number) => Promise<readonly AuditLine[]>;

/** Maximum number of lines that one search scans; the caller continues from where it ended. */
export const scannedMax = 20_000;
const pageMax = 1_000;

/** Searches the log from its end, page by page. */
export async function searchLines(read: ReadLines, query: AuditQuery, { limit, before, after }: AuditRange): Promise<FoundEvents> {
  const items: FoundEvent[] = [];
  let at = before;
  let newest: { readonly newest?: number } = {};
  for (let scanned = 0; scanned < scannedMax;) {
    const page = await read(at, pageMax);
    if (page.length === 0) return { items, ...newest };
    for (const line of page) {
      if (newest.newest === undefined) newest = { newest: line.sequence };
      if (line.sequence <= after) return { items, ...newest };
      at = line.sequence;
      scanned += 1;
      const found = foundIn(line.text, query);
      if (found !== undefined && items.push(found) >= limit) return { items, before: at, ...newest };
    }
  }
  return { items, before: at, ...newest };
}

/** The line's event if it matches the query; undefined for malformed lines and events. */
export function foundIn(text: string, query: AuditQuery): FoundEvent | undefined {
  const line = parseLine(text);
  const event = line && eventOf(line.event);
  return line !== undefined && event !== undefined && matches(query, event)
    ? { chain: line.chain, sequence: line.sequence, event }
    : undefined;
}

function eventOf(text: string): AuditedEvent | undefined {
  try {
    return JSON.parse(text) as AuditedEvent;
  } catch {
    return undefined;
  }
}
