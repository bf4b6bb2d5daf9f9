import type { EnginePort } from '../../ports/engine.js';
import { valueAt, type ObjectBody } from './object-reader.js';

const pods = { group: '', version: 'v1', plural: 'pods' } as const;

/** Whether a pod waits for a node, an image or a volume: none of its output is there, and asking for it is an error. */
export const isPending = (pod: ObjectBody): boolean => valueAt(pod, ['status', 'phase']) === 'Pending';

/** Waits until a pod has begun; false when it is gone, or the signal aborts. */
export async function untilBegun(
  engine: EnginePort,
  { namespace, name }: { readonly namespace: string; readonly name: string },
  signal: AbortSignal,
): Promise<boolean> {
  const selected = { target: { kind: pods, namespace }, fieldSelector: `metadata.name=${name}` };
  // The bookmark behind what is there tells that there is no such pod.
  const watch = engine.watch({ ...selected, sendInitialEvents: true, bookmarks: true, signal });
  let isThere = false;
  for await (const events of watch) {
    for (const { type, served } of events) {
      if (type === 'DELETED' || (type === 'BOOKMARK' && !isThere)) return false;
      if (type === 'BOOKMARK') continue;
      isThere = true;
      if (!isPending(served.object as ObjectBody)) return true;
    }
  }
  return false;
}
