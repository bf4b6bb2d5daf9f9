import { readFileSync } from 'node:fs';
import { storeErrors } from '@tappaas/sdk/store';
import { pageBytes } from './page-size.js';

const headerBytes = 32;
const frameHeaderBytes = 24;

/**
 * Distinguishes a torn tail of the write-ahead log from damage.
 *
 * SQLite reads the log up to the first invalid frame and silently ignores the rest. That is right for the end of a batch that never became
 * durable, but loses acknowledged batches if a frame in the middle is damaged. A batch is written only after the one before it has reached
 * the disk; so if complete batches follow the invalid one, that one had been durable.
 *
 * @throws TAP_STORE_CORRUPT
 * @source SQLite, "The Database File Format", section 4: The Write-Ahead Log
 */
export function checkWal(file: string): void {
  const bytes = readFileSync(file);
  if (bytes.length < headerBytes + frameHeaderBytes) return;
  const wal = new WalFile(bytes, isBigEndian(bytes));
  if (!wal.headerHolds) {
    // The byte order of the checksums is also stored in the damaged header, so both are tried.
    if ([true, false].some((bigEndian) => new WalFile(bytes, bigEndian).commitsFrom(1) > 0)) throw damaged(file, 0);
    return;
  }
  const broken = wal.firstBroken();
  if (broken === undefined) return;
  // The first commit mark from here on ends the invalid batch itself; another one belongs to a later batch.
  if (wal.commitsFrom(broken) > 1) throw damaged(file, wal.offsetOf(broken));
}

function damaged(file: string, offset: number) {
  return storeErrors.TAP_STORE_CORRUPT({ message: `${file} is damaged at byte ${offset}: acknowledged batches stand behind it` });
}

function isBigEndian(bytes: Buffer): boolean {
  return (bytes.readUInt32BE(0) & 1) === 1;
}

type Sum = readonly [number, number];

class WalFile {
  readonly #bytes: Buffer;
  readonly #view: DataView;
  /** Offset of the salts that mark the frames of this generation: in the header, or in the first frame if the header is invalid. */
  readonly #salt: number;
  readonly #bigEndian: boolean;
  readonly #frameBytes: number;
  readonly #frames: number;
  readonly headerHolds: boolean;

  constructor(bytes: Buffer, bigEndian: boolean) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#bigEndian = bigEndian;
    this.#frameBytes = frameBytes(bytes.readUInt32BE(8));
    this.#frames = Math.floor((bytes.length - headerBytes) / this.#frameBytes);
    this.headerHolds = (bytes.readUInt32BE(0) & ~1) === 0x37_7f_06_82 && equal(this.#sum(0, 24, [0, 0]), this.#sumAt(24));
    this.#salt = this.headerHolds ? 16 : headerBytes + 8;
  }

  offsetOf(frame: number): number {
    return headerBytes + frame * this.#frameBytes;
  }

  /**
   * The first invalid frame in this generation's chain; undefined if the file ends first. A frame of an older generation counts as invalid.
   */
  firstBroken(): number | undefined {
    let sum = this.#sumAt(24);
    for (let frame = 0; frame < this.#frames; frame++) {
      sum = this.#frameSum(frame, sum);
      if (!this.#ofGeneration(frame) || !equal(sum, this.#sumAt(this.offsetOf(frame) + 16))) return frame;
    }
    return undefined;
  }

  /** Number of commit marks in frames of this generation from `first` on whose checksum matches the frame before. */
  commitsFrom(first: number): number {
    let commits = 0;
    for (let frame = first; frame < this.#frames; frame++) {
      const isCommit = this.#bytes.readUInt32BE(this.offsetOf(frame) + 4) !== 0;
      if (!isCommit || !this.#ofGeneration(frame)) continue;
      const before = frame === 0 ? this.#sumAt(24) : this.#sumAt(this.offsetOf(frame - 1) + 16);
      // The invalid frame itself counts if it is marked as the end of its batch.
      if (frame === first || equal(this.#frameSum(frame, before), this.#sumAt(this.offsetOf(frame) + 16))) commits++;
    }
    return commits;
  }

  #ofGeneration(frame: number): boolean {
    const salt = this.offsetOf(frame) + 8;
    return this.#bytes.compare(this.#bytes, this.#salt, this.#salt + 8, salt, salt + 8) === 0;
  }

  #frameSum(frame: number, before: Sum): Sum {
    const offset = this.offsetOf(frame);
    return this.#sum(offset + frameHeaderBytes, offset + this.#frameBytes, this.#sum(offset, offset + 8, before));
  }

  #sum(from: number, to: number, [first, second]: Sum): Sum {
    let s1 = first;
    let s2 = second;
    for (let at = from; at < to; at += 8) {
      s1 = (s1 + this.#word(at) + s2) | 0;
      s2 = (s2 + this.#word(at + 4) + s1) | 0;
    }
    return [s1, s2];
  }

  #word(at: number): number {
    return this.#view.getInt32(at, !this.#bigEndian);
  }

  /** Stored checksums are always big-endian. */
  #sumAt(at: number): Sum {
    return [this.#view.getInt32(at), this.#view.getInt32(at + 4)];
  }
}

function equal(left: Sum, right: Sum): boolean {
  return left[0] === right[0] && left[1] === right[1];
}

/** Size of a frame; an impossible page size in a damaged header is replaced by the default. */
function frameBytes(found: number): number {
  return frameHeaderBytes + (found >= 512 && found <= 65_536 && (found & (found - 1)) === 0 ? found : pageBytes);
}
