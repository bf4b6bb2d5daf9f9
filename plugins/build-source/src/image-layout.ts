import { createHash } from 'node:crypto';
import { mkdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { replaceFile } from '@tappaas/sdk/durable-file';

/** An OCI content descriptor. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

const manifestsMax = 10_000;
const nameKey = 'org.opencontainers.image.ref.name';

interface Index {
  readonly manifests: readonly (Descriptor & { readonly annotations?: Readonly<Record<string, string>> })[];
}

/** Images are readable by other users, since the process that runs them may have another user id. */
const readable = 0o644;

/** Writes a blob under its digest unless it exists; a crash leaves the complete blob or none. */
export async function putBlob(directory: string, mediaType: string, bytes: Uint8Array): Promise<Descriptor> {
  const hex = createHash('sha256').update(bytes).digest('hex');
  const folder = join(directory, 'blobs', 'sha256');
  const path = join(folder, hex);
  await mkdir(folder, { recursive: true });
  const there = await stat(path).catch(() => undefined);
  if (there?.size !== bytes.length) await replaceFile(path, bytes, readable);
  return { mediaType, digest: `sha256:${hex}`, size: bytes.length };
}

/** Updates the indexes of image layouts one at a time, since each update reads and replaces the whole index. */
export class IndexWriter {
  #turn: Promise<void> = Promise.resolve();

  /** Adds a manifest under a name to the layout's index; it replaces an older one of that name. */
  add(directory: string, manifest: Descriptor, name: string): Promise<void> {
    const turn = this.#turn.then(() => writeIndex(directory, manifest, name));
    this.#turn = turn.catch(() => undefined);
    return turn;
  }
}

async function writeIndex(directory: string, manifest: Descriptor, name: string): Promise<void> {
  const path = join(directory, 'index.json');
  const index = await readFile(path, 'utf8').then(
    (text) => JSON.parse(text) as Index,
    (): Index => ({ manifests: [] }),
  );
  const others = index.manifests.filter((entry) => entry.annotations?.[nameKey] !== name).slice(-(manifestsMax - 1));
  const manifests = [...others, { ...manifest, annotations: { [nameKey]: name } }];
  await replaceFile(join(directory, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }), readable);
  await replaceFile(path, JSON.stringify({ schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json', manifests }), readable);
}
