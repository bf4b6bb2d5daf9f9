import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { access, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { create } from 'tar';
import { putBlob, type Descriptor, type IndexWriter } from './image-layout.js';

/** The source and the command of an image. */
export interface PackRequest {
  readonly sourceDirectory: string;
  readonly imagesDirectory: string;
  readonly application: { readonly namespace: string; readonly name: string };
  readonly command: readonly string[];
  readonly signal: AbortSignal;
}

const workingDirectory = '/app';
const layerType = 'application/vnd.oci.image.layer.v1.tar';
const configType = 'application/vnd.oci.image.config.v1+json';
const manifestType = 'application/vnd.oci.image.manifest.v1+json';

/**
 * Packs a directory into one uncompressed layer of an OCI image. Names are sorted, times and owners omitted: the same
 * files give the same digest.
 *
 * @source https://github.com/opencontainers/image-spec/blob/main/image-layout.md
 */
export async function packImage(request: PackRequest, index: IndexWriter): Promise<{ readonly digest: string; readonly cached: boolean }> {
  const layer = await packLayer(request.sourceDirectory, request.signal);
  const layerDescriptor = await putBlob(request.imagesDirectory, layerType, layer);
  const config = await putJson(request.imagesDirectory, configType, {
    architecture: process.arch === 'x64' ? 'amd64' : process.arch,
    os: 'linux',
    config: { Cmd: request.command, WorkingDir: workingDirectory },
    rootfs: { type: 'layers', diff_ids: [layerDescriptor.digest] },
  });
  const manifest = { schemaVersion: 2, mediaType: manifestType, config, layers: [layerDescriptor] };
  const bytes = Buffer.from(JSON.stringify(manifest));
  const cached = await exists(request.imagesDirectory, bytes);
  const descriptor = await putBlob(request.imagesDirectory, manifestType, bytes);
  await index.add(request.imagesDirectory, descriptor, `${request.application.namespace}/${request.application.name}`);
  return { digest: descriptor.digest, cached };
}

async function packLayer(directory: string, signal: AbortSignal): Promise<Uint8Array> {
  const scratch = await mkdtemp(join(tmpdir(), 'tappaas-layer-'));
  try {
    const file = join(scratch, 'layer.tar');
    const names = await filesBelow(directory, '');
    const packed = create(
      { cwd: directory, prefix: workingDirectory.slice(1), portable: true, mtime: new Date(0), noDirRecurse: true, strict: true },
      names,
    );
    await pipeline(Readable.from(packed), createWriteStream(file), { signal });
    return await readFile(file, { signal });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function filesBelow(directory: string, prefix: string): Promise<string[]> {
  const entries = await readdir(join(directory, prefix), { withFileTypes: true });
  const names: string[] = [];
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const name = prefix === '' ? entry.name : `${prefix}/${entry.name}`;
    names.push(name);
    if (entry.isDirectory()) names.push(...(await filesBelow(directory, name)));
  }
  return names;
}

function putJson(directory: string, mediaType: string, value: object): Promise<Descriptor> {
  return putBlob(directory, mediaType, Buffer.from(JSON.stringify(value)));
}

async function exists(directory: string, bytes: Uint8Array): Promise<boolean> {
  const path = join(directory, 'blobs', 'sha256', createHash('sha256').update(bytes).digest('hex'));
  return access(path).then(
    () => true,
    () => false,
  );
}
