import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** An OCI content descriptor. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

/** Writes a blob under its digest, once; a crash leaves the whole blob or none. */
export async function putBlob(directory: string, mediaType: string, bytes: Uint8Array): Promise<Descriptor> {
  const hex = createHash('sha256').update(bytes).digest('hex');
  const folder = join(directory, 'blobs', 'sha256');
  const path = join(folder, hex);
  await mkdir(folder, { recursive: true });
  const there = await stat(path).catch(() => undefined);
  if (there?.size !== bytes.length) await writeDurably(path, bytes);
  return { mediaType, digest: `sha256:${hex}`, size: bytes.length };
}

const manifestsMax = 10_000;

/** Names a manifest in the layout's index; the newest of a name replaces the older one. Writers take turns through a queue. */
export function addToIndex(directory: string, manifest: Descriptor, name: string): Promise<void> {
  const turn = (turns.get(directory) ?? Promise.resolve()).then(() => writeIndex(directory, manifest, name));
  turns.set(
    directory,
    turn.catch(() => undefined),
  );
  return turn;
}

const turns = new Map<string, Promise<void>>();
const nameKey = 'org.opencontainers.image.ref.name';

interface Index {
  readonly manifests: readonly (Descriptor & { readonly annotations?: Readonly<Record<string, string>> })[];
}

async function writeIndex(directory: string, manifest: Descriptor, name: string): Promise<void> {
  const path = join(directory, 'index.json');
  const index = await readFile(path, 'utf8').then(
    (text) => JSON.parse(text) as Index,
    (): Index => ({ manifests: [] }),
  );
  const others = index.manifests.filter((entry) => entry.annotations?.[nameKey] !== name).slice(-(manifestsMax - 1));
  const manifests = [...others, { ...manifest, annotations: { [nameKey]: name } }];
  await writeDurably(join(directory, 'oci-layout'), Buffer.from(JSON.stringify({ imageLayoutVersion: '1.0.0' })));
  await writeDurably(
    path,
    Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json', manifests })),
  );
}

async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  const scratch = `${path}.${randomUUID()}`;
  const file = await open(scratch, 'wx', 0o644);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(scratch, path);
}
