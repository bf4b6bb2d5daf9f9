import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sourceErrors } from './errors.js';

/** The start command and the file that it was found in. */
export interface Start {
  readonly command: readonly string[];
  readonly foundIn: string;
}

const fileBytesMax = 1024 * 1024;

/**
 * Finds the start command: Procfile's web line, then package.json's start script and main, then server.js or index.js.
 * Undefined: the application's manifest must name the command.
 *
 * @throws BUILD_SOURCE_UNREADABLE
 */
export async function findStart(directory: string): Promise<Start | undefined> {
  const procfile = await textOf(join(directory, 'Procfile'));
  const web = procfile?.split('\n').find((line) => /^web\s*:/.test(line));
  if (web !== undefined) return { command: shell(web.replace(/^web\s*:\s*/, '').trim()), foundIn: 'Procfile "web"' };
  const manifest = await textOf(join(directory, 'package.json'));
  if (manifest !== undefined) {
    const start = startScriptOf(manifest);
    if (start !== undefined) return { command: shell(start), foundIn: 'package.json "start"' };
    const main = mainOf(manifest);
    if (main !== undefined) return { command: ['node', main], foundIn: 'package.json "main"' };
  }
  for (const name of ['server.js', 'index.js']) {
    if ((await textOf(join(directory, name))) !== undefined) return { command: ['node', name], foundIn: name };
  }
  if (manifest !== undefined) refuseBroken(manifest);
  return undefined;
}

/** Splits a plain command into words, so that it runs directly and receives signals; a line with shell syntax is run by /bin/sh. */
export function shell(line: string): readonly string[] {
  const plain = /^[\w./:=@%+,-]+( +[\w./:=@%+,-]+)*$/.test(line) && !/^\w+=/.test(line);
  return plain ? line.split(/ +/) : ['/bin/sh', '-c', line];
}

async function textOf(path: string): Promise<string | undefined> {
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'EISDIR') return undefined;
    throw error;
  });
  return bytes === undefined || bytes.length > fileBytesMax ? undefined : bytes.toString('utf8');
}

function startScriptOf(manifest: string): string | undefined {
  const scripts = fieldOf(manifest, 'scripts');
  const start = typeof scripts === 'object' && scripts !== null && 'start' in scripts ? scripts.start : undefined;
  return typeof start === 'string' && start.trim() !== '' ? start.trim() : undefined;
}

function mainOf(manifest: string): string | undefined {
  const main = fieldOf(manifest, 'main');
  return typeof main === 'string' && /^[\w./-]+$/.test(main) ? main : undefined;
}

/** Reports an unreadable package.json only when no other file names a command, since its author must have meant it to. */
function refuseBroken(manifest: string): void {
  try {
    JSON.parse(manifest);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw sourceErrors.BUILD_SOURCE_UNREADABLE({ message: `package.json is not JSON: ${why.slice(0, 200)}` });
  }
}

function fieldOf(manifest: string, name: string): unknown {
  try {
    const parsed: unknown = JSON.parse(manifest);
    return typeof parsed === 'object' && parsed !== null ? (parsed as Record<string, unknown>)[name] : undefined;
  } catch {
    return undefined;
  }
}
