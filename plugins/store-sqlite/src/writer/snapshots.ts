import { storeErrors, type Lease } from '@tappaas/sdk/store';
import type { Ledger } from './ledger.js';
import { FrameEncoder, headFrame } from './snapshot-file.js';

const snapshotsMax = 4;
const chunkBytes = 1_024 * 1_024;

interface OpenSnapshot {
  readonly revision: number;
  readonly encoder: FrameEncoder;
  /** Frames of small data without history, captured when the snapshot is opened. */
  readonly first: Uint8Array;
  after: string | undefined;
  ended: boolean;
}

/** The open snapshots. While one is open, versions that were current at its revision are not deleted. */
export class Snapshots {
  readonly #open = new Map<number, OpenSnapshot>();

  /** The oldest revision that must stay readable; Infinity if no snapshot is open. */
  get oldestRevision(): number {
    return Math.min(...[...this.#open.values()].map(({ revision }) => revision));
  }

  /** @throws TAP_STORE_UNAVAILABLE when too many are open */
  open(id: number, ledger: Ledger): void {
    if (this.#open.size >= snapshotsMax) {
      throw storeErrors.TAP_STORE_UNAVAILABLE({ message: `${snapshotsMax} snapshots are being read already`, retryAfterMs: 10_000 });
    }
    const encoder = new FrameEncoder();
    this.#open.set(id, { revision: ledger.revision, encoder, first: firstFrames(ledger, encoder), after: undefined, ended: false });
  }

  /** The next bytes; undefined at the end. @throws TAP_STORE_UNAVAILABLE after a restore, TAP_STORE_CORRUPT */
  chunk(id: number, ledger: Ledger): Uint8Array | undefined {
    const snapshot = this.#open.get(id);
    if (snapshot === undefined)
      throw storeErrors.TAP_STORE_UNAVAILABLE({ message: 'the snapshot has ended: the store was restored meanwhile' });
    if (snapshot.ended) return undefined;
    const pieces = snapshot.after === undefined ? [snapshot.first] : [];
    let bytes = 0;
    for (const version of ledger.keys.between(snapshot.after === undefined ? '' : `${snapshot.after}\0`, undefined, snapshot.revision)) {
      if (bytes >= chunkBytes) return Buffer.concat(pieces);
      const piece = snapshot.encoder.encode(ledger.log.keyValue(version));
      pieces.push(piece);
      bytes += piece.byteLength;
      snapshot.after = version.key;
    }
    snapshot.ended = true;
    return Buffer.concat([...pieces, snapshot.encoder.end()]);
  }

  close(id: number): void {
    this.#open.delete(id);
  }

  closeAll(): void {
    this.#open.clear();
  }
}

function firstFrames(ledger: Ledger, encoder: FrameEncoder): Uint8Array {
  const { epoch, revision, leasesGranted, claims, leases } = ledger;
  return Buffer.concat([
    encoder.encode(headFrame({ epoch, revision, leasesGranted })),
    ...leases.all().map(({ id, ttlMs }: Lease) => encoder.encode({ leaseId: id, ttlMs })),
    ...[...claims.counters].map(([counter, sum]) => encoder.encode({ counter, sum })),
    ...[...claims.uniques].map(([unique, holder]) => encoder.encode({ unique, holder })),
  ]);
}
