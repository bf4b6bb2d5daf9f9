import { findCall, type Objects } from '../objects/object-router.js';
import type { UpgradeCall, ServedUpgrade } from '../upgrade/upgrade.js';
import { SocketPace } from '../upgrade/web-socket.js';
import { streamEvents } from './watch-stream.js';

/** Serves `?watch=true` over a WebSocket, as kube-apiserver does: one text message per event. Messages of the client are ignored. */
export function watchUpgrade(objects: Objects): ServedUpgrade {
  return {
    path: '/{objects}?watch=true',
    match: ({ info }) => info.target !== undefined && info.verb === 'watch',
    messageBytesMax: 1024,
    handle: (call) => watchOverSocket(objects, call),
  };
}

async function watchOverSocket(objects: Objects, call: UpgradeCall): Promise<void> {
  const { exchange } = call;
  const { target } = exchange.info;
  if (target === undefined) return;
  const { frames, watchLimits } = objects;
  let pace: SocketPace | undefined;
  await streamEvents(findCall(objects, exchange, target), frames, watchLimits, {
    begin: async () => {
      // The watch closes the socket itself, after its last bookmark.
      pace = new SocketPace(await call.accept({ endsItself: true }), watchLimits);
    },
    get hasBegun() {
      return pace !== undefined;
    },
    write(frames) {
      let hasRoom = true;
      for (const { line } of frames) hasRoom = pace?.write(line) ?? true;
      return hasRoom;
    },
    drained: async () => pace?.drained(),
    end: () => {},
  });
}
