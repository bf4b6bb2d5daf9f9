import { setImmediate as turn } from 'node:timers/promises';
import type { EnginePort, Served, WatchEvent } from '../../ports/engine.js';
import { reachedWith } from '../watch/reached.js';
import type { JoinRequest } from './join-request.js';
import { eventFrame, messageBytesMax } from './outbox.js';
import type { Room } from './room.js';

/** Space for the envelope of an object in a message: the name of a room may contain two selectors. */
const envelopeBytesMax = 16 * 1024;

/** Encodes events as WebSocket frames, once per change and room for all its clients. */
export class EventFrames {
  readonly #known = new WeakMap<Served, { readonly key: string; readonly frame: Buffer }>();

  of({ type, served }: WatchEvent, room: string): Buffer {
    const key = `${type} ${room}`;
    const known = this.#known.get(served);
    // Only the last frame is cached, because the clients of a room get an event one right after the other.
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

/** Returns a reference to an object that is too large for a message, with what is needed to get it. */
function referenceOf({ object, resourceVersion }: Served): string {
  const { apiVersion, kind, metadata } = object as {
    readonly apiVersion?: string;
    readonly kind?: string;
    readonly metadata?: { readonly name?: string; readonly namespace?: string; readonly uid?: string };
  };
  const { name, namespace, uid } = metadata ?? {};
  return JSON.stringify({ apiVersion, kind, metadata: { name, namespace, uid, resourceVersion } });
}

/** Sends events of objects after a resourceVersion; without one, the existing objects and then their events. */
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
    // As for a watch: an error that the engine raises at once refuses the join.
    await Promise.race([first, turn()]);
    room.stands();
    for (let next = await first; next.done !== true; next = await iterator.next()) {
      for (const event of next.value) await room.send(frames.of(event, room.name), reachedWith(event));
    }
  } finally {
    await iterator.return?.().catch(() => {});
  }
}
