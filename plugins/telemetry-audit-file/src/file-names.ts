import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** One file of a chain, named by the sequence number of its first line. */
export interface ChainFile {
  readonly path: string;
  readonly first: number;
}

const form = /^([A-Za-z0-9-]{1,63})-(\d{16})\.audit$/;

/** The file that begins with a given line. */
export function chainFile(directory: string, chain: string, first: number): ChainFile {
  return { path: join(directory, `${chain}-${String(first).padStart(16, '0')}.audit`), first };
}

/** Names of the chains in a directory. */
export async function chainNames(directory: string): Promise<readonly string[]> {
  const names = (await readdir(directory)).flatMap((name) => form.exec(name)?.[1] ?? []);
  return [...new Set(names)].toSorted();
}

/** Paths of the files of all chains. */
export async function everyFile(directory: string): Promise<readonly string[]> {
  return (await readdir(directory)).filter((name) => form.test(name)).map((name) => join(directory, name));
}

/** The files of a chain, oldest first. */
export async function chainFiles(directory: string, chain: string): Promise<readonly ChainFile[]> {
  const names = await readdir(directory);
  return names
    .flatMap((name) => {
      const [, found, first] = form.exec(name) ?? [];
      return found === chain ? [{ path: join(directory, name), first: Number(first) }] : [];
    })
    .toSorted((a, b) => a.first - b.first);
}
