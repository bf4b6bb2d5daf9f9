/** The output of a process that a line came from. */
export type Stream = 'stdout' | 'stderr';

/** Maximum length of an entry's text; a longer line is split into several entries. */
export const pieceBytesMax = 16 * 1024;

/**
 * Formats a log entry: time, stream, F for the end of a line or P for a part of one, text.
 *
 * @source https://github.com/kubernetes/design-proposals-archive/blob/main/node/kubelet-cri-logging.md
 */
export const logEntry = (nowMs: number, stream: Stream, isWhole: boolean, text: string): string =>
  `${new Date(nowMs).toISOString().replace('Z', '000000Z')} ${stream} ${isWhole ? 'F' : 'P'} ${text}\n`;

interface Entry {
  readonly time: string;
  readonly stream: string;
  readonly isWhole: boolean;
  readonly text: string;
}

/** Parses a log entry; undefined if it is malformed. */
export function parseEntry(line: string): Entry | undefined {
  const first = line.indexOf(' ');
  const second = line.indexOf(' ', first + 1);
  const third = line.indexOf(' ', second + 1);
  if (first < 0 || second < 0 || third < 0) return undefined;
  return {
    time: line.slice(0, first),
    stream: line.slice(first + 1, second),
    isWhole: line.slice(second + 1, third) === 'F',
    text: line.slice(third + 1),
  };
}

/** Splits output into lines, buffering an incomplete last line. */
export class LineSplitter {
  #rest: Buffer = Buffer.alloc(0);

  /** Returns the lines, or parts of long lines, that the chunk completes. */
  take(chunk: Buffer): { readonly text: string; readonly isWhole: boolean }[] {
    const pieces: { text: string; isWhole: boolean }[] = [];
    let bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    for (;;) {
      const end = bytes.indexOf(10);
      if (end >= 0 && end <= pieceBytesMax) {
        pieces.push({ text: bytes.toString('utf8', 0, end), isWhole: true });
        bytes = bytes.subarray(end + 1);
      } else if (bytes.length > pieceBytesMax) {
        const cut = wholeCharacters(bytes, pieceBytesMax);
        pieces.push({ text: bytes.toString('utf8', 0, cut), isWhole: false });
        bytes = bytes.subarray(cut);
      } else break;
    }
    this.#rest = Buffer.from(bytes);
    return pieces;
  }

  /** Number of buffered bytes of an incomplete line. */
  get pendingBytes(): number {
    return this.#rest.length;
  }

  /** The buffered incomplete line; undefined if there is none. */
  rest(): string | undefined {
    return this.#rest.length === 0 ? undefined : this.#rest.toString('utf8');
  }

  clear(): void {
    this.#rest = Buffer.alloc(0);
  }
}

/** The largest length up to `most` that does not split a UTF-8 character. */
function wholeCharacters(bytes: Buffer, most: number): number {
  let cut = most;
  while (cut > most - 4 && ((bytes[cut] ?? 0) & 0xc0) === 0x80) cut -= 1;
  return cut;
}
