import type { Served, WatchEvent } from './engine-port.js';
import { apiVersionOf, shapeOf, type View } from './object-view.js';

type Frames = Readonly<Record<WatchEvent['type'], WeakMap<Served, WeakRef<Buffer>>>>;

const newline = '}\n';

/**
 * Makes the lines of watches; the line of a change is made once, however many clients watch it. A line is not kept for as long as its
 * object is there: nobody asks for it again once all watches have told it.
 */
export interface WatchFrames {
  frame(event: WatchEvent, view: View): Buffer;
}

export function createWatchFrames(): WatchFrames {
  const known: Frames = { ADDED: new WeakMap(), MODIFIED: new WeakMap(), DELETED: new WeakMap(), BOOKMARK: new WeakMap() };
  return {
    frame(event, view) {
      if (view.representation.as !== undefined) return shaped(event, view);
      const { type, served } = event;
      let line = known[type].get(served)?.deref();
      if (line === undefined) {
        line = Buffer.concat([Buffer.from(`{"type":"${type}","object":`), served.bytes, Buffer.from(newline)]);
        known[type].set(served, new WeakRef(line));
      }
      return line;
    },
  };
}

/** A bookmark at `resourceVersion`: whatever lies before it has been told. */
export function bookmarkFrame(view: View, resourceVersion: string): Buffer {
  const { kind } = view;
  const object = { kind: kind.kind, apiVersion: apiVersionOf(kind), metadata: { resourceVersion } };
  const served = { object, bytes: Buffer.from(JSON.stringify(object)), resourceVersion };
  return createWatchFrames().frame({ type: 'BOOKMARK', served }, view);
}

export function errorFrame(status: object): Buffer {
  return Buffer.from(`${JSON.stringify({ type: 'ERROR', object: status })}\n`);
}

function shaped({ type, served }: WatchEvent, view: View): Buffer {
  const object = shapeOf(view, served);
  return Buffer.from(`${JSON.stringify({ type, object })}\n`);
}
