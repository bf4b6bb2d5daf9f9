import type { Served, WatchEvent } from '../../ports/engine.js';
import { apiVersionOf, shapeOf, type View } from '../answer/object-view.js';

/** One event as it is sent. */
export interface WatchFrame {
  /** A line of JSON. */
  readonly line: Buffer;
  /** The same as a chunk of HTTP/1.1: its length before it, its end behind it. */
  readonly chunk: Buffer;
}

type Frames = Readonly<Record<WatchEvent['type'], WeakMap<Served, WeakRef<WatchFrame>>>>;

const newline = '}\n';
const chunkEnd = Buffer.from('\r\n');

/**
 * Makes the frames of watches; that of a change is made once, however many clients watch it. It is not kept for as long as its object is
 * there: nobody asks for it again once all watches have told it.
 */
export interface WatchFrames {
  frame(event: WatchEvent, view: View): WatchFrame;
}

export function createWatchFrames(): WatchFrames {
  const known: Frames = { ADDED: new WeakMap(), MODIFIED: new WeakMap(), DELETED: new WeakMap(), BOOKMARK: new WeakMap() };
  return {
    frame(event, view) {
      if (view.representation.as !== undefined) return shaped(event, view);
      const { type, served } = event;
      let frame = known[type].get(served)?.deref();
      if (frame === undefined) {
        frame = frameOf([Buffer.from(`{"type":"${type}","object":`), served.bytes, Buffer.from(newline)]);
        known[type].set(served, new WeakRef(frame));
      }
      return frame;
    },
  };
}

/** A bookmark at `resourceVersion`: whatever lies before it has been told. */
export function bookmarkFrame(view: View, resourceVersion: string): WatchFrame {
  const { kind } = view;
  const object = { kind: kind.kind, apiVersion: apiVersionOf(kind), metadata: { resourceVersion } };
  const served = { object, bytes: Buffer.from(JSON.stringify(object)), resourceVersion };
  return createWatchFrames().frame({ type: 'BOOKMARK', served }, view);
}

export function errorFrame(status: object): WatchFrame {
  return frameOf([Buffer.from(`${JSON.stringify({ type: 'ERROR', object: status })}\n`)]);
}

function shaped({ type, served }: WatchEvent, view: View): WatchFrame {
  const object = shapeOf(view, served);
  return frameOf([Buffer.from(`${JSON.stringify({ type, object })}\n`)]);
}

/** The line lies within the chunk. */
function frameOf(parts: readonly Uint8Array[]): WatchFrame {
  const length = parts.reduce((sum, { byteLength }) => sum + byteLength, 0);
  const size = Buffer.from(`${length.toString(16)}\r\n`);
  const chunk = Buffer.concat([size, ...parts, chunkEnd]);
  return { line: chunk.subarray(size.byteLength, size.byteLength + length), chunk };
}
