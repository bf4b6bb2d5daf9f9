import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
import { storeErrors, type KeyValue } from '@tappaas/sdk/store';

const format = 'tappaas-sqlite-store/1';
const pieceBytesMax = 16 * 1_024 * 1_024;
const nothing = new Uint8Array(0);

/** The first frame of a snapshot. */
export interface SnapshotHead {
  readonly epoch: number;
  readonly revision: number;
  readonly leasesGranted: number;
}

/** One frame of a snapshot. */
export type Frame =
  | ({ readonly format: string } & SnapshotHead)
  | KeyValue
  | { readonly counter: string; readonly sum: number }
  | { readonly unique: string; readonly holder: string }
  | { readonly leaseId: string; readonly ttlMs: number };

export function headFrame(head: SnapshotHead): Frame {
  return { format, ...head };
}

/**
 * Encodes frames: two lengths, the fields in JSON, the value. The last frame has no fields, and its value is the digest of all frames
 * before it.
 */
export class FrameEncoder {
  readonly #digest = createHash('sha256');

  encode(frame: Frame): Uint8Array {
    const { value, ...words } = 'value' in frame ? frame : { ...frame, value: nothing };
    const bytes = layOut(Buffer.from(JSON.stringify(words)), value);
    this.#digest.update(bytes);
    return bytes;
  }

  end(): Uint8Array {
    return layOut(nothing, this.#digest.digest());
  }
}

function layOut(words: Uint8Array, value: Uint8Array): Uint8Array {
  const bytes = Buffer.allocUnsafeSlow(8 + words.byteLength + value.byteLength);
  bytes.writeUInt32BE(words.byteLength, 0);
  bytes.writeUInt32BE(value.byteLength, 4);
  bytes.set(words, 8);
  bytes.set(value, 8 + words.byteLength);
  return bytes;
}

/** Reads the frames of a snapshot file. Damage may show only at its end, so read it all before using it. @throws TAP_STORE_CORRUPT */
export function* readFrames(file: string): Generator<Frame, void, undefined> {
  const handle = openSync(file, 'r');
  const digest = createHash('sha256');
  try {
    for (let first = true; ; first = false) {
      const lengths = take(handle, 8);
      const words = take(handle, lengths.readUInt32BE(0));
      const value = take(handle, lengths.readUInt32BE(4));
      if (words.length === 0) {
        if (first || !digest.digest().equals(value) || !atEnd(handle)) throw corrupt('its digest differs');
        return;
      }
      for (const piece of [lengths, words, value]) digest.update(piece);
      const frame = parse(words, value);
      if (first && !('format' in frame && frame.format === format)) throw corrupt(`it is not of format ${format}`);
      yield frame;
    }
  } finally {
    closeSync(handle);
  }
}

function parse(words: Buffer, value: Uint8Array): Frame {
  try {
    const frame = JSON.parse(words.toString()) as Frame;
    return 'key' in frame ? { ...frame, value } : frame;
  } catch {
    throw corrupt('a frame cannot be read');
  }
}

function take(handle: number, bytes: number): Buffer {
  if (bytes > pieceBytesMax) throw corrupt('a frame is too long');
  const piece = Buffer.allocUnsafeSlow(bytes);
  for (let at = 0; at < bytes;) {
    const read = readSync(handle, piece, at, bytes - at, null);
    if (read === 0) throw corrupt('it ends too early');
    at += read;
  }
  return piece;
}

function atEnd(handle: number): boolean {
  return readSync(handle, Buffer.alloc(1), 0, 1, null) === 0;
}

function corrupt(what: string) {
  return storeErrors.TAP_STORE_CORRUPT({ message: `the snapshot is cut off or damaged: ${what}` });
}
