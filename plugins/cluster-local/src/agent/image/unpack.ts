import { createReadStream } from 'node:fs';
import { chmod, link, lstat, mkdir, open, readdir, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import type { ReadEntry } from 'tar';
import { entryParts, entryPath, LayerRefused, linkTarget } from './entry-path.js';
import { blobPath, verifyBlob, type Descriptor } from './layout.js';

/** Limits on the unpacked size of one image. */
export interface UnpackLimits {
  readonly entriesMax: number;
  readonly bytesMax: number;
}

/** Running totals of one image. */
interface Budget {
  entries: number;
  bytes: number;
}

const whiteout = '.wh.';
const opaque = '.wh..wh..opq';

/**
 * Unpacks the layers of an image, lowest first, into an empty directory.
 *
 * Owners, devices and set-user-id bits are ignored: all files belong to the agent's user.
 *
 * @throws LayerRefused when an entry would land outside the directory or a limit is passed.
 */
export async function unpackLayers(layout: string, layers: readonly Descriptor[], root: string, limits: UnpackLimits): Promise<void> {
  const budget: Budget = { entries: 0, bytes: 0 };
  for (const layer of layers) {
    await verifyBlob(layout, layer.digest);
    await unpackLayer(layout, layer, root, limits, budget);
  }
}

async function unpackLayer(layout: string, layer: Descriptor, root: string, limits: UnpackLimits, budget: Budget): Promise<void> {
  const { Parser } = await import('tar');
  let refusal: unknown;
  let turn: Promise<void> = Promise.resolve();
  const seen = new Set<string>();
  const parser = new Parser({ strict: true });
  let goOn: () => void = () => undefined;
  const refuse = (error: unknown) => {
    refusal ??= error;
    goOn();
  };
  parser.on('drain', () => goOn());
  parser.on('error', refuse);
  parser.on('entry', (entry: ReadEntry) => {
    turn = turn
      .then(() => (refusal === undefined ? place(entry, root, limits, budget, seen) : undefined))
      .catch(refuse)
      .finally(() => {
        entry.resume();
      });
  });
  const source = createReadStream(blobPath(layout, layer.digest));
  const mediaType = layer.mediaType ?? '';
  const sink = async (stream: AsyncIterable<Uint8Array>) => {
    for await (const chunk of stream) {
      if (refusal !== undefined) throw refusal;
      budget.bytes += chunk.length;
      if (budget.bytes > limits.bytesMax) throw new LayerRefused(`the image unpacks to more than ${limits.bytesMax} bytes`);
      const { promise, resolve } = Promise.withResolvers<void>();
      goOn = resolve;
      if (!parser.write(Buffer.from(chunk))) await promise;
    }
    parser.end();
  };
  if (mediaType.endsWith('gzip')) await pipeline(source, createGunzip(), sink);
  else if (mediaType.endsWith('zstd')) await pipeline(source, createZstdDecompress(), sink);
  else await pipeline(source, sink);
  await turn;
  if (refusal !== undefined) throw refusal;
}

async function place(entry: ReadEntry, root: string, limits: UnpackLimits, budget: Budget, seen: Set<string>): Promise<void> {
  const parts = entryParts(entry.path);
  const last = parts.at(-1);
  if (last === undefined) return;
  budget.entries += 1;
  if (budget.entries > limits.entriesMax) throw new LayerRefused(`the image has more than ${limits.entriesMax} entries`);
  const path = await entryPath(root, parts);
  const folder = join(path, '..');
  await mkdir(folder, { recursive: true });
  if (last === opaque) return clear(folder, parts.slice(0, -1), seen);
  if (last.startsWith(whiteout)) return rm(join(folder, last.slice(whiteout.length)), { recursive: true, force: true });
  seen.add(parts.join('/'));
  await write(entry, path, parts, root);
}

/** An opaque folder hides the content of lower layers, but not that of its own layer. */
async function clear(folder: string, parts: readonly string[], seen: ReadonlySet<string>): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!seen.has([...parts, name].join('/'))) await rm(join(folder, name), { recursive: true, force: true });
  }
}

async function write(entry: ReadEntry, path: string, parts: readonly string[], root: string): Promise<void> {
  const mode = (entry.mode ?? 0o644) & 0o777;
  const present = await lstat(path).catch(() => undefined);
  if (entry.type === 'Directory') {
    if (present && !present.isDirectory()) await rm(path);
    await mkdir(path, { recursive: true });
    return chmod(path, mode | 0o700);
  }
  if (present) await rm(path, { recursive: true, force: true });
  if (entry.type === 'SymbolicLink') return symlink(linkTarget(parts, entry.linkpath ?? ''), path);
  if (entry.type === 'Link') {
    const target = await entryPath(root, entryParts(entry.linkpath ?? ''));
    const found = await lstat(target).catch(() => undefined);
    if (!found?.isFile()) throw new LayerRefused(`hard link "${parts.join('/')}" names no file of the image: "${entry.linkpath}"`);
    return link(target, path);
  }
  if (entry.type !== 'File' && entry.type !== 'OldFile' && entry.type !== 'ContiguousFile') return;
  const file = await open(path, 'wx', mode | 0o600);
  try {
    for await (const chunk of entry as AsyncIterable<Buffer>) await file.writeFile(chunk);
  } finally {
    await file.close();
  }
}
