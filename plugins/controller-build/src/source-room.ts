/** A source that was uploaded for a namespace. */
export interface SentSource {
  /** Name of its file among those of the same uploader. */
  readonly name: string;
  readonly hash: string;
  readonly namespace: string;
  readonly atMs: number;
  /** Size of its archive, which counts once even if uploaded for several namespaces. */
  readonly bytes: number;
}

/** Limits per tenant, or per user without one. */
export interface RoomLimits {
  readonly sentMax: number;
  readonly sentBytesMax: number;
}

/** The uploads to remove for another one; or that there is not enough room, because the remaining uploads are needed. */
export type Room =
  | { readonly isEnough: true; readonly leaving: readonly string[] }
  | { readonly isEnough: false; readonly keptBytes: number; readonly kept: number };

/** Chooses the oldest uploads that no build needs for removal, until the added one fits. */
export async function roomFor(
  added: Pick<SentSource, 'hash' | 'bytes'>,
  sent: readonly SentSource[],
  { sentMax, sentBytesMax }: RoomLimits,
  isNeeded: (source: SentSource) => Promise<boolean>,
): Promise<Room> {
  let kept = sent.toSorted((one, other) => one.atMs - other.atMs);
  const leaving: string[] = [];
  const fits = () => kept.length < sentMax && bytesOf([...kept, added]) <= sentBytesMax;
  for (const oldest of kept) {
    if (fits()) break;
    if (await isNeeded(oldest)) continue;
    kept = kept.filter((each) => each !== oldest);
    leaving.push(oldest.name);
  }
  return fits() ? { isEnough: true, leaving } : { isEnough: false, keptBytes: bytesOf(kept), kept: kept.length };
}

function bytesOf(sources: readonly Pick<SentSource, 'hash' | 'bytes'>[]): number {
  const archives = new Map(sources.map(({ hash, bytes }) => [hash, bytes]));
  return archives.values().reduce((sum, bytes) => sum + bytes, 0);
}
