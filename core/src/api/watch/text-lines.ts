/** Yields the complete lines of each chunk of a log. An overlong line is yielded at once, cut, and its remainder is skipped. */
export async function* textLines(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array | string>,
  charactersMax: number,
): AsyncGenerator<readonly string[], void, void> {
  const decoder = new TextDecoder();
  let rest = '';
  let isTold = false;
  for await (const chunk of chunks) {
    const lines = (rest + (typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true }))).split('\n');
    rest = lines.pop() ?? '';
    if (isTold && lines.length > 0) {
      lines.shift();
      isTold = false;
    }
    if (!isTold && rest.length > charactersMax) {
      lines.push(rest);
      isTold = true;
    }
    if (isTold) rest = '';
    if (lines.length > 0) yield lines.map((line) => (line.length > charactersMax ? `${line.slice(0, charactersMax)}…` : line));
  }
  if (rest !== '') yield [rest];
}
