/** Which of a process' outputs a line came from. */
export type Stream = 'stdout' | 'stderr';

/** Longest piece of a line; a longer line is written in parts. */
export const pieceBytesMax = 16 * 1024;

/**
 * One entry of a container's log: time, stream, F for the end of a line or P for a part of one, text.
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

/** An entry's parts; nothing when it is not one. */
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

/** Collects output until a line is whole. */
export class LineSplitter {
  #rest: Buffer = Buffer.alloc(0);

  /** The pieces that a further chunk completes. */
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

  /** Bytes that wait for the end of their line. */
  get pendingBytes(): number {
    return this.#rest.length;
  }

  /** What waits for the end of its line; nothing when there is none. */
  rest(): string | undefined {
    return this.#rest.length === 0 ? undefined : this.#rest.toString('utf8');
  }

  clear(): void {
    this.#rest = Buffer.alloc(0);
  }
}

/** The largest length up to `most` that does not cut a UTF-8 character. */
function wholeCharacters(bytes: Buffer, most: number): number {
  let cut = most;
  while (cut > most - 4 && ((bytes[cut] ?? 0) & 0xc0) === 0x80) cut -= 1;
  return cut;
}
