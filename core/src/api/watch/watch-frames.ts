import type { Served, WatchEvent } from '../../ports/engine.js';
import { apiVersionOf, shapeOf, type View } from '../answer/object-view.js';

/** One event, encoded. */
export interface WatchFrame {
  /** A line of JSON. */
  readonly line: Buffer;
  /** The line as a chunk of HTTP/1.1, with its length before and its end after it. */
  readonly chunk: Buffer;
}

type Frames = Readonly<Record<WatchEvent['type'], WeakMap<Served, WeakRef<WatchFrame>>>>;

const newline = '}\n';
const chunkEnd = Buffer.from('\r\n');

/**
 * Encodes events of watches, once per change however many clients watch it. Frames are held weakly, not as long as their objects: after
 * all watches have sent a change, its frame is not needed again.
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

/** Makes a bookmark: all changes up to `resourceVersion` have been sent. */
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

/** Makes a frame; the line is a view into the chunk, not a copy. */
function frameOf(parts: readonly Uint8Array[]): WatchFrame {
  const length = parts.reduce((sum, { byteLength }) => sum + byteLength, 0);
  const size = Buffer.from(`${length.toString(16)}\r\n`);
  const chunk = Buffer.concat([size, ...parts, chunkEnd]);
  return { line: chunk.subarray(size.byteLength, size.byteLength + length), chunk };
}
