/** A source that somebody has sent for a namespace. */
export interface SentSource {
  /** What it is kept as among those of who has sent it. */
  readonly name: string;
  readonly hash: string;
  readonly namespace: string;
  readonly atMs: number;
  /** Of its archive, which counts once however many namespaces it was sent for. */
  readonly bytes: number;
}

/** How much is kept for one tenant, or for one person of none. */
export interface RoomLimits {
  readonly sentMax: number;
  readonly sentBytesMax: number;
}

/** What has to go for another source, or why there is no room: what is left is needed. */
export type Room =
  | { readonly isEnough: true; readonly leaving: readonly string[] }
  | { readonly isEnough: false; readonly keptBytes: number; readonly kept: number };

/** The oldest make way that no build needs, until the added one fits. */
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
