/** Channels of what the agent answers while a command runs, and the most that one frame carries. */
export const frames = { stdout: 1, stderr: 2, end: 3, bytesMax: 32 * 1024 } as const;

const headBytes = 5;

/** One frame: its channel, its length in four bytes, its bytes. */
export function execFrame(channel: number, bytes: Uint8Array): Buffer {
  const head = Buffer.alloc(headBytes);
  head.writeUInt8(channel, 0);
  head.writeUInt32BE(bytes.byteLength, 1);
  return Buffer.concat([head, bytes]);
}

/** Splits what has arrived into frames, however it was cut on the way. @throws when a frame is larger than any that is sent */
export async function* readFrames(
  source: AsyncIterable<Uint8Array>,
): AsyncIterable<{ readonly channel: number; readonly bytes: Uint8Array }> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of source) {
    rest = rest.length === 0 ? Buffer.from(chunk) : Buffer.concat([rest, chunk]);
    while (rest.length >= headBytes) {
      const length = rest.readUInt32BE(1);
      if (length > frames.bytesMax) throw new Error(`a frame of ${length} bytes, at most ${frames.bytesMax} are sent`);
      if (rest.length < headBytes + length) break;
      yield { channel: rest.readUInt8(0), bytes: rest.subarray(headBytes, headBytes + length) };
      rest = rest.subarray(headBytes + length);
    }
  }
}
