import { hash } from 'node:crypto';
import type { ChainEnd } from './chain.js';
import { numbersPerEvent, type BatchedEvents } from './event-batch.js';
import { LineBytes } from './line-bytes.js';

/** Consecutive lines of a chain, each with its newline. */
export interface SealedBlock {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The offset after the newline of each line. */
  readonly ends: Uint32Array<ArrayBuffer>;
  /** Hash of the last line. */
  readonly hash: string;
}

/** The bytes that lines of a form have in common, including adjacent parts of the frame. */
interface FormBytes {
  readonly beforeId: Buffer;
  readonly beforeTimes: Buffer;
  readonly afterTimes: Buffer;
}

/**
 * Makes lines from events. Each line has its number, the hash of the previous line, and its own hash: SHA-256 over everything before it in
 * the line, as `sha256sum` would compute it. Lines are assembled directly as adjacent bytes, since they are hashed and written as such.
 */
export function sealed(chain: string, end: ChainEnd, events: BatchedEvents): SealedBlock {
  const { numbers, ids, texts } = events;
  const forms = formsOf(events.forms);
  const count = numbers.length / numbersPerEvent;
  const lines = new LineBytes(count, chain);
  const ends = new Uint32Array(count);
  let previous = end.hash;
  let [text, idBegin] = [0, 0];
  for (let index = 0; index < count; index += 1) {
    const at = index * numbersPerEvent;
    const begin = lines.used;
    lines.frame(end.sequence + index + 1, previous);
    const form = forms[numbers[at] ?? -1];
    if (form === undefined) {
      lines.text(`","event":${texts[text] ?? ''}`);
      text += 1;
    } else {
      const idEnd = idBegin + (numbers[at + 3] ?? 0);
      lines.bytes(form.beforeId);
      lines.part(ids, idBegin, idEnd);
      lines.bytes(form.beforeTimes);
      lines.times(numbers[at + 1] ?? 0, numbers[at + 2] ?? 0);
      lines.bytes(form.afterTimes);
      idBegin = idEnd;
    }
    previous = hash('sha256', lines.from(begin), 'hex');
    lines.close(previous);
    ends[index] = lines.used;
  }
  return { bytes: lines.from(0), ends, hash: previous };
}

function formsOf(texts: readonly string[]): readonly FormBytes[] {
  return Array.from({ length: texts.length / 3 }, (_, index) => ({
    beforeId: Buffer.from(`","event":${texts[3 * index] ?? ''}"`),
    beforeTimes: Buffer.from(`"${texts[3 * index + 1] ?? ''}`),
    afterTimes: Buffer.from(texts[3 * index + 2] ?? ''),
  }));
}
