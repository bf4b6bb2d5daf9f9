import { crc32 } from 'node:zlib';
import type { Version } from './key-index.js';

/** A row's checksum, which is verified on reading: SQLite checks the structure of its file, but not the content of rows. */
export function checksum({ key, id, createRevision, version, lease = '' }: Omit<Version, 'older'>, value: Uint8Array): number {
  return crc32(value, crc32(`${id} ${createRevision} ${version} ${lease} ${key}`));
}
