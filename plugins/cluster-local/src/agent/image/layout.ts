import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A content descriptor of the OCI image specification. */
export interface Descriptor {
  readonly mediaType?: string;
  readonly digest: string;
  readonly size: number;
}

/** The run configuration of an image. */
export interface ImageConfig {
  readonly Env?: readonly string[];
  readonly Entrypoint?: readonly string[] | null;
  readonly Cmd?: readonly string[] | null;
  readonly WorkingDir?: string;
}

/** An image in the layout. */
export interface Image {
  readonly digest: string;
  readonly layers: readonly Descriptor[];
  readonly config: ImageConfig;
}

const digestForm = /^sha256:([0-9a-f]{64})$/;
const documentBytesMax = 4 * 1024 * 1024;
const nameKey = 'org.opencontainers.image.ref.name';

/** Path of a blob. @throws when the digest is malformed, since it becomes part of the path */
export function blobPath(layout: string, digest: string): string {
  const hex = digestForm.exec(digest)?.[1];
  if (hex === undefined) throw new Error(`"${digest}" is not a sha256 digest`);
  return join(layout, 'blobs', 'sha256', hex);
}

/**
 * Finds an image by its reference in a pod: `…@sha256:<digest>`, a digest alone, or a name in the layout's index.
 *
 * @source https://github.com/opencontainers/image-spec/blob/main/image-layout.md
 * @throws when a blob does not match its digest
 */
export async function findImage(layout: string, name: string): Promise<Image | undefined> {
  const digest = /sha256:[0-9a-f]{64}$/.exec(name)?.[0] ?? (await digestByName(layout, name));
  if (digest === undefined) return undefined;
  const manifest = (await readDocument(layout, digest)) as
    | { layers?: readonly Descriptor[]; config?: Descriptor; manifests?: readonly Descriptor[] }
    | undefined;
  if (manifest?.config === undefined) return undefined;
  const document = (await readDocument(layout, manifest.config.digest)) as { config?: ImageConfig } | undefined;
  if (document === undefined) throw new Error(`image ${digest} has no config: blob ${manifest.config.digest} is missing`);
  return { digest, layers: manifest.layers ?? [], config: document.config ?? {} };
}

async function digestByName(layout: string, name: string): Promise<string | undefined> {
  const text = await readFile(join(layout, 'index.json'), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const { manifests = [] } = JSON.parse(text) as {
    manifests?: readonly (Descriptor & { annotations?: Readonly<Record<string, string>> })[];
  };
  return manifests.find(({ annotations }) => annotations?.[nameKey] === name)?.digest;
}

async function readDocument(layout: string, digest: string): Promise<unknown> {
  const bytes = await readFile(blobPath(layout, digest)).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (bytes === undefined) return undefined;
  if (bytes.length > documentBytesMax) throw new Error(`blob ${digest} is larger than ${documentBytesMax} bytes`);
  const found = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  if (found !== digest) throw new Error(`blob ${digest} is damaged: its digest is ${found}`);
  return JSON.parse(bytes.toString('utf8'));
}

/** Checks a blob against its digest. @throws when it differs. */
export async function verifyBlob(layout: string, digest: string): Promise<void> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(blobPath(layout, digest))) hash.update(chunk as Buffer);
  const found = `sha256:${hash.digest('hex')}`;
  if (found !== digest) throw new Error(`blob ${digest} is damaged: its digest is ${found}`);
}
