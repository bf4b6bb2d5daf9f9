import { crc32 } from 'node:zlib';
import type { Version } from './key-index.js';

/** What a row must still have when it is read: SQLite checks the structure of its file, not what the rows say. */
export function checksum({ key, id, createRevision, version, lease = '' }: Omit<Version, 'older'>, value: Uint8Array): number {
  return crc32(value, crc32(`${id} ${createRevision} ${version} ${lease} ${key}`));
}
