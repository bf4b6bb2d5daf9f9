import { createGunzip } from 'node:zlib';
import { posix } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Parser, type ReadEntry } from 'tar';
import { sourceErrors } from './errors.js';

/** Limits on the content of an archive. */
export interface ArchiveLimits {
  readonly unpackedBytesMax: number;
  readonly entriesMax: number;
}

const pathBytesMax = 1024;
const depthMax = 64;

/**
 * Reads an archive completely without writing anything, and refuses harmful content: names that leave the folder, links that point out of
 * it, devices, too many entries, and decompression bombs (the output of the decompressor is counted as it arrives).
 *
 * @throws CONTROLLER_BUILD_ARCHIVE_REFUSED naming the entry, CONTROLLER_BUILD_ARCHIVE_TOO_LARGE naming the limit
 */
export async function inspectArchive(archive: Uint8Array, limits: ArchiveLimits): Promise<void> {
  let entries = 0;
  let refusal: Error | undefined;
  const places = createPlaces();
  const parser = new Parser({
    strict: true,
    onReadEntry(entry) {
      entries += 1;
      refusal ??=
        entries > limits.entriesMax
          ? tooLarge(`more than ${limits.entriesMax} entries (entriesMax)`)
          : (refusalOf(entry) ?? places.take(entry));
      entry.resume();
    },
  });
  const ended = new Promise<void>((resolve, reject) => {
    parser.on('end', resolve);
    parser.on('error', reject);
  });
  try {
    await Promise.all([
      ended,
      pipeline(
        Readable.from([Buffer.from(archive)]),
        createGunzip(),
        counter(limits.unpackedBytesMax),
        (source: AsyncIterable<Uint8Array>) => drain(source, parser, () => refusal),
      ),
    ]);
  } catch (error) {
    throw (
      refusal ??
      (error instanceof Error && 'spec' in error
        ? error
        : refused(`it is not a gzipped tar: ${error instanceof Error ? error.message : String(error)}`))
    );
  }
  if (refusal) throw refusal;
  if (entries === 0) throw refused('it has no entries');
}

/** Tracks the type of each name, since unpacking a name that is both a file and a folder would fail half-way. */
function createPlaces() {
  const folders = new Set<string>(['.']);
  const others = new Set<string>();
  return {
    take({ path, type }: ReadEntry): Error | undefined {
      const name = posix.normalize(path).replace(/\/$/, '');
      for (let folder = posix.dirname(name); !folders.has(folder); folder = posix.dirname(folder)) {
        if (others.has(folder)) return refused(`entry "${path}" lies in "${folder}", which is an entry and no folder`);
        folders.add(folder);
      }
      if (type === 'Directory' && others.has(name)) return refused(`entry "${path}" is a folder here and something else before`);
      if (type !== 'Directory' && folders.has(name)) return refused(`entry "${path}" is a folder for other entries, and is a ${type} too`);
      (type === 'Directory' ? folders : others).add(name);
      return undefined;
    },
  };
}

/** Counts the decompressed bytes, to stop a decompression bomb. */
function counter(bytesMax: number): Transform {
  let bytes = 0;
  return new Transform({
    transform(chunk: Uint8Array, _encoding, done) {
      bytes += chunk.length;
      if (bytes > bytesMax) done(tooLarge(`more than ${bytesMax} bytes unpacked (unpackedBytesMax)`));
      else done(null, chunk);
    },
  });
}

async function drain(source: AsyncIterable<Uint8Array>, parser: Parser, refusal: () => Error | undefined): Promise<void> {
  for await (const chunk of source) {
    parser.write(Buffer.from(chunk));
    const found = refusal();
    if (found) throw found;
  }
  parser.end();
}

function refusalOf(entry: ReadEntry): Error | undefined {
  const name = entry.path;
  if (Buffer.byteLength(name) > pathBytesMax || name.split('/').length > depthMax)
    return refused(`the name of an entry is longer than ${pathBytesMax} bytes or deeper than ${depthMax}`);
  if (leaves(name)) return refused(`entry "${name}" lies outside the folder`);
  if (entry.type === 'File' || entry.type === 'OldFile' || entry.type === 'Directory') return undefined;
  if (entry.type !== 'SymbolicLink')
    return refused(`entry "${name}" is a ${entry.type}; only files, folders and links inside the folder are taken`);
  const target = entry.linkpath ?? '';
  return leaves(posix.join(posix.dirname(name), target)) || posix.isAbsolute(target)
    ? refused(`link "${name}" points outside the folder`)
    : undefined;
}

function leaves(path: string): boolean {
  if (path.includes('\0') || path.includes('\\') || posix.isAbsolute(path)) return true;
  const normal = posix.normalize(path);
  return normal === '..' || normal.startsWith('../');
}

/** The error for an archive that cannot be built from, with the reason. */
export const refused = (why: string) => sourceErrors.CONTROLLER_BUILD_ARCHIVE_REFUSED({ message: `the source archive is refused: ${why}` });
const tooLarge = (why: string) => sourceErrors.CONTROLLER_BUILD_ARCHIVE_TOO_LARGE({ message: `the source archive is too large: ${why}` });
