import { createReadStream } from 'node:fs';
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const form = /^([A-Za-z0-9-]{1,63})-(\d{16})\.audit$/;

/** Returns the names of the chains with files in a directory. */
export async function chainsIn(directory: string): Promise<readonly string[]> {
  const names = (await readdir(directory)).flatMap((name) => form.exec(name)?.[1] ?? []);
  return [...new Set(names)].toSorted();
}

/** Yields every line of a chain, oldest first, as stored; an incomplete last line is left out. */
export async function* linesIn(directory: string, chain: string): AsyncGenerator<string> {
  const names = (await readdir(directory)).filter((name) => form.exec(name)?.[1] === chain).toSorted();
  for (const [index, name] of names.entries()) {
    const path = join(directory, name);
    const isTorn = index === names.length - 1 && (await isCutOff(path));
    let held: string | undefined;
    for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) {
      if (held !== undefined) yield held;
      held = line;
    }
    if (held !== undefined && !isTorn) yield held;
  }
}

/** Whether a file ends without a newline, because the platform is writing it or a crash cut it off. */
async function isCutOff(path: string): Promise<boolean> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    if (size === 0) return false;
    const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
    return buffer[0] !== 0x0a;
  } finally {
    await file.close();
  }
}
