import { clusterErrors } from './errors.js';

/** Limit of a single object in a watch; etcd's limit is far below. */
const lineBytesMax = 16 * 1024 * 1024;

/** Splits a byte stream into lines without line ends; an incomplete last line counts as well. */
export async function* readLines(chunks: AsyncIterable<Uint8Array>, what: string): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let open: Uint8Array[] = [];
  let openBytes = 0;
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      open.push(chunk.subarray(start, end));
      yield decoder.decode(open.length === 1 ? open[0] : Buffer.concat(open));
      open = [];
      openBytes = 0;
      start = end + 1;
    }
    if (start === chunk.length) continue;
    open.push(chunk.subarray(start));
    openBytes += chunk.length - start;
    if (openBytes > lineBytesMax) {
      throw clusterErrors.TAP_CLUSTER_ANSWER_TOO_LARGE({ message: `${what}: a line is longer than ${lineBytesMax} bytes` });
    }
  }
  if (openBytes > 0) yield decoder.decode(Buffer.concat(open));
}
