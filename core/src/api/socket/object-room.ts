import { setImmediate as turn } from 'node:timers/promises';
import type { EnginePort, Served, WatchEvent } from '../../ports/engine.js';
import { reachedWith } from '../watch/reached.js';
import type { JoinRequest } from './join-request.js';
import { eventFrame, messageBytesMax } from './outbox.js';
import type { Room } from './room.js';

/** Room for what stands around an object in its message: the name of a room may hold two selectors. */
const envelopeBytesMax = 16 * 1024;

/** Messages of events as they go over the wire; made once per change and room, however many clients are in it. */
export class EventFrames {
  readonly #known = new WeakMap<Served, { readonly key: string; readonly frame: Buffer }>();

  of({ type, served }: WatchEvent, room: string): Buffer {
    const key = `${type} ${room}`;
    const known = this.#known.get(served);
    // The last one is enough: the clients of a room are told one after the other.
    if (known?.key === key) return known.frame;
    const frame = frameOf(type, served, room);
    this.#known.set(served, { key, frame });
    return frame;
  }
}

function frameOf(type: WatchEvent['type'], served: Served, room: string): Buffer {
  const isLarge = served.bytes.byteLength > messageBytesMax - envelopeBytesMax;
  const [field, bytes] = isLarge ? ['reference', Buffer.from(referenceOf(served))] : ['object', served.bytes];
  return eventFrame([Buffer.from(`42["event",{"room":${JSON.stringify(room)},"type":"${type}","${field}":`), bytes, Buffer.from('}]')]);
}

/** What stands for an object that is too large for a message: enough to get it. */
function referenceOf({ object, resourceVersion }: Served): string {
  const { apiVersion, kind, metadata } = object as {
    readonly apiVersion?: string;
    readonly kind?: string;
    readonly metadata?: { readonly name?: string; readonly namespace?: string; readonly uid?: string };
  };
  const { name, namespace, uid } = metadata ?? {};
  return JSON.stringify({ apiVersion, kind, metadata: { name, namespace, uid, resourceVersion } });
}

/** Tells the events of objects from a resourceVersion on, else the objects as they are and then their events. */
export async function fillObjectRoom(
  room: Room,
  engine: EnginePort,
  request: JoinRequest & { readonly topic: 'objects' },
  frames: EventFrames,
): Promise<void> {
  const { target, labelSelector, fieldSelector, resourceVersion } = request;
  const events = engine.watch({
    target,
    ...(labelSelector !== undefined && { labelSelector }),
    ...(fieldSelector !== undefined && { fieldSelector }),
    ...(resourceVersion === undefined ? { sendInitialEvents: true } : { resourceVersion }),
    bookmarks: true,
    signal: room.signal,
  });
  const iterator = events[Symbol.asyncIterator]();
  const first = iterator.next();
  try {
    // As for a watch: what the engine refuses at once refuses the join.
    await Promise.race([first, turn()]);
    room.stands();
    for (let next = await first; next.done !== true; next = await iterator.next()) {
      for (const event of next.value) await room.send(frames.of(event, room.name), reachedWith(event));
    }
  } finally {
    await iterator.return?.().catch(() => {});
  }
}
