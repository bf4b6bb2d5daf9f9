import type { Served } from './engine-port.js';

/** The bytes of items with commas between them, kept for the lists that are asked for again and again. */
export interface JoinedLists {
  of(items: readonly Served[]): Uint8Array;
}

const listsMax = 64;
const keptBytesMax = 256 * 1024;
const comma = Buffer.from(',');

interface Joined {
  readonly items: readonly Served[];
  readonly bytes: Uint8Array;
}

/**
 * Items are compared one by one before their bytes are used again: an object that has changed is another item. Only short lists are
 * kept, so all of it is at most 16 MiB; the list that was joined longest ago goes first.
 */
export function createJoinedLists(): JoinedLists {
  const kept = new Map<string, Joined>();
  return {
    of(items) {
      const [first, last] = [items[0], items.at(-1)];
      if (first === undefined || last === undefined) return Buffer.alloc(0);
      const key = `${items.length} ${first.resourceVersion} ${last.resourceVersion}`;
      const known = kept.get(key);
      if (known !== undefined && known.items.every((item, index) => item === items[index])) return known.bytes;
      const bytes = join(items);
      kept.delete(key);
      if (bytes.byteLength <= keptBytesMax) kept.set(key, { items, bytes });
      const oldest = kept.size > listsMax ? kept.keys().next().value : undefined;
      if (oldest !== undefined) kept.delete(oldest);
      return bytes;
    },
  };
}

function join(items: readonly Served[]): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const { bytes } of items) parts.push(bytes, comma);
  parts.pop();
  return Buffer.concat(parts);
}
