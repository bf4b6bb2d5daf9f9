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

/** Images are for whoever runs them, which may be another user. */
const readable = 0o644;

/** Writes a blob under its digest, once; a crash leaves the whole blob or none. */
export async function putBlob(directory: string, mediaType: string, bytes: Uint8Array): Promise<Descriptor> {
  const hex = createHash('sha256').update(bytes).digest('hex');
  const folder = join(directory, 'blobs', 'sha256');
  const path = join(folder, hex);
  await mkdir(folder, { recursive: true });
  const there = await stat(path).catch(() => undefined);
  if (there?.size !== bytes.length) await replaceFile(path, bytes, readable);
  return { mediaType, digest: `sha256:${hex}`, size: bytes.length };
}

/** Writes the indexes of layouts, one change after the other: a change reads the index and replaces it. */
export class IndexWriter {
  #turn: Promise<void> = Promise.resolve();

  /** Names a manifest in the layout's index; the newest of a name replaces the older one. */
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
