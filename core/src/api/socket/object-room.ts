import { setImmediate as turn } from 'node:timers/promises';
import type { EnginePort, Served, WatchEvent } from '../engine-port.js';
import type { JoinRequest } from './join-request.js';
import { eventPacket, messageBytesMax } from './outbox.js';
import type { Room } from './room.js';

/** Room for what stands around an object in its message. */
const envelopeBytesMax = 2 * 1024;

/** Packets of events; the text of an object is made once per change, however many clients are told. */
export class EventPackets {
  readonly #texts = new WeakMap<Served, string>();

  of({ type, served }: WatchEvent, room: string): string {
    let text = this.#texts.get(served);
    if (text === undefined) {
      text = textOf(served);
      this.#texts.set(served, text);
    }
    return eventPacket('event', `{"room":${JSON.stringify(room)},"type":"${type}",${text}}`);
  }
}

function textOf(served: Served): string {
  const { buffer, byteOffset, byteLength } = served.bytes;
  if (byteLength > messageBytesMax - envelopeBytesMax) return `"reference":${referenceOf(served)}`;
  return `"object":${Buffer.from(buffer, byteOffset, byteLength).toString()}`;
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
  packets: EventPackets,
): Promise<void> {
  const { target, labelSelector, fieldSelector, resourceVersion } = request;
  const events = engine.watch({
    target,
    ...(labelSelector !== undefined && { labelSelector }),
    ...(fieldSelector !== undefined && { fieldSelector }),
    ...(resourceVersion !== undefined && { resourceVersion }),
    sendInitialEvents: resourceVersion === undefined,
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
      for (const event of next.value) await room.send(packets.of(event, room.name), event.served.resourceVersion);
    }
  } finally {
    await iterator.return?.().catch(() => {});
  }
}
