import { open, type FileHandle } from 'node:fs/promises';
import { auditLineOf, type AuditLine } from '@tappaas/sdk';

const chunkBytes = 256 * 1024;
const newline = 0x0a;

/**
 * The lines of a file that end before byte `end`, newest first and without gaps: at most `max`, and `bytesMax` unless one line is larger.
 */
export async function linesBefore(file: FileHandle, end: number, max: number, bytesMax: number): Promise<readonly AuditLine[]> {
  const lines: AuditLine[] = [];
  let bytes = 0;
  let rest: Buffer = Buffer.alloc(0);
  for (let at = end; at > 0 && lines.length < max && bytes < bytesMax;) {
    const from = Math.max(0, at - chunkBytes);
    const text = Buffer.concat([await bytesBetween(file, from, at), rest]);
    const begin = from === 0 ? 0 : text.indexOf(newline) + 1;
    // A chunk without a line end is part of a longer line.
    const whole = from > 0 && begin === 0 ? text.subarray(text.length) : text.subarray(begin);
    rest = text.subarray(0, text.length - whole.length);
    at = from;
    for (const line of whole.toString('utf8').split('\n').toReversed()) {
      const read = auditLineOf(line);
      if (read === undefined) continue;
      bytes += Buffer.byteLength(line);
      // The page ends here: the caller continues below its last line, so leaving out only this line would create a gap.
      if (lines.length >= max || (lines.length > 0 && bytes > bytesMax)) return lines;
      lines.push(read);
    }
  }
  return lines;
}

/** Offset of the line with this number, or of the first line after it. A binary search, since lines are in the order of their numbers. */
export async function offsetOf(file: FileHandle, sequence: number, size: number): Promise<number> {
  let low = 0;
  let high = size;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const found = await lineFrom(file, middle, size);
    if (found === undefined || found.line.sequence >= sequence) high = middle;
    else low = found.next;
  }
  return low;
}

/** The first line that begins at or after an offset, and the offset of the next one. */
async function lineFrom(
  file: FileHandle,
  offset: number,
  size: number,
): Promise<{ readonly line: AuditLine; readonly next: number } | undefined> {
  let begin = offset === 0 ? 0 : await afterNewline(file, offset - 1, size);
  while (begin < size) {
    const next = await afterNewline(file, begin, size);
    const line = auditLineOf((await bytesBetween(file, begin, Math.min(next, begin + 256))).toString('latin1'));
    if (line !== undefined) return { line, next };
    begin = next;
  }
  return undefined;
}

async function afterNewline(file: FileHandle, offset: number, size: number): Promise<number> {
  for (let at = offset; at < size; at += chunkBytes) {
    const found = (await bytesBetween(file, at, Math.min(size, at + chunkBytes))).indexOf(newline);
    if (found >= 0) return at + found + 1;
  }
  return size;
}

async function bytesBetween(file: FileHandle, from: number, to: number): Promise<Buffer> {
  const bytes = Buffer.alloc(to - from);
  const { bytesRead } = await file.read(bytes, 0, bytes.length, from);
  return bytes.subarray(0, bytesRead);
}

/** Number of bytes after the last line end, which a crash has left. */
export async function tornBytes(path: string): Promise<{ readonly size: number; readonly torn: number }> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    for (let end = size; end > 0; end -= chunkBytes) {
      const from = Math.max(0, end - chunkBytes);
      const last = (await bytesBetween(file, from, end)).lastIndexOf(newline);
      if (last >= 0) return { size, torn: size - (from + last + 1) };
    }
    return { size, torn: size };
  } finally {
    await file.close();
  }
}
