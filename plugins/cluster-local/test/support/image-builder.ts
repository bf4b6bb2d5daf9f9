import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';

/** One entry of a layer, written unchecked: tests need entries that no packer would write. */
export interface Entry {
  readonly name: string;
  readonly type?: 'file' | 'directory' | 'symlink' | 'hardlink' | 'device';
  readonly content?: string;
  readonly target?: string;
  readonly mode?: number;
}

const types = { file: '0', hardlink: '1', symlink: '2', device: '3', directory: '5' } as const;

/** Builds a tar archive. */
export function tar(entries: readonly Entry[]): Buffer {
  const blocks: Buffer[] = [];
  for (const { name, type = 'file', content = '', target = '', mode = 0o644 } of entries) {
    const header = Buffer.alloc(512);
    const size = type === 'file' ? Buffer.byteLength(content) : 0;
    header.write(name, 0);
    header.write(`${mode.toString(8).padStart(7, '0')}\0`, 100);
    header.write('0000000\0', 108);
    header.write('0000000\0', 116);
    header.write(`${size.toString(8).padStart(11, '0')}\0`, 124);
    header.write('00000000000\0', 136);
    header.write(types[type], 156);
    header.write(target, 157);
    header.write('ustar\0', 257);
    header.write('00', 263);
    header.write('        ', 148);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    blocks.push(header);
    if (size > 0) blocks.push(Buffer.from(content), Buffer.alloc((512 - (size % 512)) % 512));
  }
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

const sizes = { none: (bytes: Buffer) => bytes, gzip: gzipSync, zstd: zstdCompressSync } as const;
const suffixes = { none: '', gzip: '+gzip', zstd: '+zstd' } as const;

/** Writes an image into a layout; returns its digest. */
export async function writeImage(
  layout: string,
  layers: readonly (readonly Entry[])[],
  config: object,
  compression: keyof typeof sizes = 'none',
): Promise<string> {
  const put = async (mediaType: string, bytes: Buffer) => {
    const hex = createHash('sha256').update(bytes).digest('hex');
    await mkdir(join(layout, 'blobs', 'sha256'), { recursive: true });
    await writeFile(join(layout, 'blobs', 'sha256', hex), bytes);
    return { mediaType, digest: `sha256:${hex}`, size: bytes.length };
  };
  const descriptors = [];
  for (const entries of layers) {
    const bytes = sizes[compression](tar(entries));
    descriptors.push(await put(`application/vnd.oci.image.layer.v1.tar${suffixes[compression]}`, bytes));
  }
  const configuration = await put(
    'application/vnd.oci.image.config.v1+json',
    Buffer.from(JSON.stringify({ os: 'linux', architecture: 'amd64', config })),
  );
  const manifest = { schemaVersion: 2, config: configuration, layers: descriptors };
  return (await put('application/vnd.oci.image.manifest.v1+json', Buffer.from(JSON.stringify(manifest)))).digest;
}
