import { createHash } from 'node:crypto';
import { storeErrors, type KeyValue } from '@tappaas/sdk';
import type { ClaimState } from './claim-book.js';
import type { LeaseState } from './lease-book.js';

/** The full content of a store at one revision, without history. */
export interface MemorySnapshot {
  readonly epoch: number;
  readonly revision: number;
  readonly keys: readonly KeyValue[];
  readonly claims: ClaimState;
  readonly leases: LeaseState;
}

const format = 'tappaas-memory-store/1';

/** Yields one JSON line per key, and a last line with the SHA-256 digest of everything before. */
export async function* encodeSnapshot({ keys, ...rest }: MemorySnapshot): AsyncGenerator<Uint8Array, void, undefined> {
  const digest = createHash('sha256');
  const line = (content: object): Uint8Array => {
    const bytes = Buffer.from(`${JSON.stringify(content)}\n`);
    digest.update(bytes);
    return bytes;
  };
  yield line({ format, keys: keys.length, ...rest });
  for (const { value, ...key } of keys) yield line({ ...key, value: Buffer.from(value).toString('base64') });
  yield Buffer.from(digest.digest('hex'));
}

/** @throws TAP_STORE_CORRUPT */
export async function decodeSnapshot(stream: AsyncIterable<Uint8Array>): Promise<MemorySnapshot> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  const bytes = Buffer.concat(chunks);
  const content = bytes.subarray(0, bytes.lastIndexOf('\n') + 1);
  if (createHash('sha256').update(content).digest('hex') !== bytes.subarray(content.length).toString()) {
    throw storeErrors.TAP_STORE_CORRUPT({ message: 'the snapshot is cut off or damaged: its digest differs' });
  }
  const [head = '{}', ...lines] = content.toString().split('\n').slice(0, -1);
  const { format: found, keys: _, ...rest } = JSON.parse(head) as Omit<MemorySnapshot, 'keys'> & { format: string; keys: number };
  if (found !== format) throw storeErrors.TAP_STORE_CORRUPT({ message: `expected a snapshot of format ${format}, found ${found}` });
  return { ...rest, keys: lines.map(decodeKey) };
}

function decodeKey(line: string): KeyValue {
  const { value, ...key } = JSON.parse(line) as Omit<KeyValue, 'value'> & { value: string };
  return { ...key, value: new Uint8Array(Buffer.from(value, 'base64')) };
}
