const lineBytesMax = 16 * 1024 * 1024;

/** Splits a byte stream into lines; yields all complete lines of a chunk together. @throws if a line is too long */
export async function* linesOf(stream: AsyncIterable<Uint8Array>): AsyncGenerator<readonly string[]> {
  let rest: Buffer[] = [];
  let restBytes = 0;
  for await (const chunk of stream) {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    const end = bytes.lastIndexOf(10);
    if (end < 0) {
      rest.push(bytes);
      restBytes += bytes.length;
      if (restBytes > lineBytesMax) throw new Error(`a line is longer than ${lineBytesMax} bytes`);
      continue;
    }
    const text = Buffer.concat([...rest, bytes.subarray(0, end)]).toString('utf8');
    rest = end + 1 < bytes.length ? [bytes.subarray(end + 1)] : [];
    restBytes = bytes.length - end - 1;
    yield text.split('\n').filter((line) => line !== '');
  }
}
