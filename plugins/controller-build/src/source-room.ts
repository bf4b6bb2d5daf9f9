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
  | { readonly isEnough: false; readonly storedBytes: number; readonly stored: number };

/** Chooses the oldest uploads that no build needs for removal, until the added one fits. */
export async function roomFor(
  added: Pick<SentSource, 'hash' | 'bytes'>,
  sent: readonly SentSource[],
  { sentMax, sentBytesMax }: RoomLimits,
  isNeeded: (source: SentSource) => Promise<boolean>,
): Promise<Room> {
  let stored = sent.toSorted((one, other) => one.atMs - other.atMs);
  const leaving: string[] = [];
  const fits = () => stored.length < sentMax && bytesOf([...stored, added]) <= sentBytesMax;
  for (const oldest of stored) {
    if (fits()) break;
    if (await isNeeded(oldest)) continue;
    stored = stored.filter((each) => each !== oldest);
    leaving.push(oldest.name);
  }
  return fits() ? { isEnough: true, leaving } : { isEnough: false, storedBytes: bytesOf(stored), stored: stored.length };
}

function bytesOf(sources: readonly Pick<SentSource, 'hash' | 'bytes'>[]): number {
  const archives = new Map(sources.map(({ hash, bytes }) => [hash, bytes]));
  return archives.values().reduce((sum, bytes) => sum + bytes, 0);
}
