import type { AuditLine } from '@tappaas/sdk';
import type { AuditLogParts, LogSink } from './audit-log.js';
import { parseLine, type ChainEnd } from './chain.js';

/** More than a healthy sink lags behind; all of it is read into memory before the first line is written. */
const copiedMax = 10_000;
const copiedCharsMax = 64 * 1024 * 1024;
const pageMax = 1_000;

/** How far the other sinks are, and which part of that was copied to the leading one. */
export interface Further {
  readonly end: ChainEnd;
  readonly from: string;
  /** The last line copied to the leading sink; undefined if none. */
  readonly copied?: ChainEnd;
}

/**
 * Copies to the leading sink the lines that only another sink has, if they can be read and follow its end. Sinks are written concurrently,
 * so a crash may leave more in another one. Line numbers that it has kept must not be reused, since it would take new lines for the old
 * ones.
 */
export async function catchUp(parts: AuditLogParts, leader: LogSink, kept: ChainEnd | undefined): Promise<Further | undefined> {
  const { chain, sinks, log } = parts;
  const others = await Promise.all(sinks.filter((sink) => sink !== leader).map((sink) => endOf(sink, parts)));
  let furthest = { sink: leader, sequence: kept?.sequence ?? 0, hash: '' };
  for (const each of others) if (each !== undefined && each.sequence > furthest.sequence) furthest = each;
  const { sink, sequence, hash } = furthest;
  if (sink === leader) return undefined;
  const further = { end: { sequence, hash }, from: sink.name };
  if (kept === undefined || sequence - kept.sequence > copiedMax) return further;
  let copied: ChainEnd | undefined;
  try {
    const pages = await pagesBetween(chain, sink, kept.sequence, sequence);
    if (!follow(pages.flat(), chain, kept)) return further;
    for (const page of pages) {
      await leader.write(page);
      copied = parseLine(page.at(-1)?.text ?? '');
    }
  } catch (error) {
    log.warn('an audit sink was not given the lines that another one has kept', { sink: leader.name, from: sink.name, error });
  }
  return { ...further, ...(copied && { copied: { sequence: copied.sequence, hash: copied.hash } }) };
}

async function endOf(sink: LogSink, { chain, log }: AuditLogParts): Promise<(ChainEnd & { readonly sink: LogSink }) | undefined> {
  try {
    const line = parseLine((await sink.end?.(chain))?.line?.text ?? '');
    return line && { sink, sequence: line.sequence, hash: line.hash };
  } catch (error) {
    log.warn('an audit sink does not report its last line', { sink: sink.name, error });
    return undefined;
  }
}

/** Reads lines in pages, oldest first; returns none when they cannot be read or are too large together. */
async function pagesBetween(chain: string, sink: LogSink, after: number, to: number): Promise<readonly (readonly AuditLine[])[]> {
  const pages: AuditLine[][] = [];
  let chars = 0;
  for (let before = to + 1; before > after + 1;) {
    const page = (await sink.read?.(chain, before, Math.min(pageMax, before - after - 1))) ?? [];
    const oldest = page.at(-1)?.sequence ?? before;
    chars += page.reduce((sum, { text }) => sum + text.length, 0);
    if (oldest >= before || chars > copiedCharsMax) return [];
    pages.unshift(page.toReversed());
    before = oldest;
  }
  return pages;
}

function follow(lines: readonly AuditLine[], chain: string, kept: ChainEnd): boolean {
  let end = kept;
  for (const { text } of lines) {
    const line = parseLine(text);
    if (line?.isIntact !== true || line.chain !== chain || line.sequence !== end.sequence + 1 || line.previous !== end.hash) return false;
    end = line;
  }
  return lines.length > 0;
}
