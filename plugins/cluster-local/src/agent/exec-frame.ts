/** Channels of the agent's response while a command runs, and the maximum payload of a frame. */
export const frames = { stdout: 1, stderr: 2, end: 3, bytesMax: 32 * 1024 } as const;

const headBytes = 5;

/** Encodes a frame: one byte for the channel, four bytes for the length (big-endian), the payload. */
export function execFrame(channel: number, bytes: Uint8Array): Buffer {
  const head = Buffer.alloc(headBytes);
  head.writeUInt8(channel, 0);
  head.writeUInt32BE(bytes.byteLength, 1);
  return Buffer.concat([head, bytes]);
}

/** Decodes frames from chunks of any size. @throws if a frame exceeds the maximum payload */
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
