import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { create } from 'tar';
import { CliError } from './cli-error.js';
import { exitCodes } from './command.js';

/** A packed directory. */
export interface SourceArchive {
  readonly digest: string;
  readonly bytes: Uint8Array;
  readonly files: number;
}

const alwaysLeftOut: readonly string[] = ['.git', '.tappaasignore'];
const filesMax = 50_000;

/**
 * Packs a directory into a gzipped tar whose digest depends only on its files. Excludes .git and the entries of `.tappaasignore`, one name
 * or path per line; `node_modules` is included, because the platform installs nothing.
 */
export async function packSource(directory: string): Promise<SourceArchive> {
  const leftOut = new Set([...alwaysLeftOut, ...(await ignoredIn(directory))]);
  const files = await filesBelow(directory, '', leftOut);
  if (files.length === 0)
    throw new CliError(`${directory} has no files`, {
      remedy: 'Name a directory with the source of the application.',
      exitCode: exitCodes.usage,
    });
  const chunks: Uint8Array[] = [];
  const archive = create({ cwd: directory, gzip: { level: 6 }, portable: true, mtime: new Date(0), noDirRecurse: true }, files);
  for await (const chunk of archive as AsyncIterable<Uint8Array>) chunks.push(chunk);
  const bytes = Buffer.concat(chunks);
  return { bytes, files: files.length, digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}` };
}

async function ignoredIn(directory: string): Promise<readonly string[]> {
  const text = await readFile(join(directory, '.tappaasignore'), 'utf8').catch(() => '');
  return text
    .split('\n')
    .map((line) => line.trim().replace(/\/$/, ''))
    .filter((line) => line !== '' && !line.startsWith('#'));
}

async function filesBelow(directory: string, prefix: string, leftOut: ReadonlySet<string>): Promise<string[]> {
  const entries = await readdir(join(directory, prefix), { withFileTypes: true });
  const files: string[] = [];
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = prefix === '' ? entry.name : `${prefix}/${entry.name}`;
    if (leftOut.has(entry.name) || leftOut.has(path)) continue;
    if (entry.isDirectory()) files.push(...(await filesBelow(directory, path, leftOut)));
    else if (entry.isFile() || entry.isSymbolicLink()) files.push(path);
    if (files.length > filesMax)
      throw new CliError(`${directory} has more than ${filesMax} files`, {
        remedy: 'Leave build products out with a .tappaasignore file.',
        exitCode: exitCodes.usage,
      });
  }
  return files;
}

/** Whether a path is a directory; a path that does not exist is a usage error. */
export async function isDirectory(path: string): Promise<boolean> {
  const found = await stat(path).catch((cause: unknown) => {
    throw new CliError(`there is no file or directory ${path}`, {
      remedy: 'Name a directory with source, or an Application manifest.',
      exitCode: exitCodes.usage,
      cause,
    });
  });
  return found.isDirectory();
}
