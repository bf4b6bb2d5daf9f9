import type { Conversation } from '@tappaas/sdk';
import type { WebSocket } from 'ws';
import { SocketPace } from './web-socket.js';
import type { StreamLimits } from '../watch/slow-reader.js';

/** Maximum messages waiting for the handler; at the limit no more are read. */
const waitingMax = 16;

/** Wraps a WebSocket for a plugin. */
export function conversationOf(socket: WebSocket, limits: StreamLimits): Conversation {
  const pace = new SocketPace(socket, limits);
  return {
    protocol: socket.protocol,
    messages: messagesOf(socket),
    async send(message) {
      if (!pace.write(message, true)) await pace.drained();
    },
  };
}

/** Yields the messages received from now on; may be iterated only once. */
function messagesOf(socket: WebSocket): AsyncIterable<Uint8Array> {
  const waiting: Uint8Array[] = [];
  let isOver = false;
  let wake = (): void => {};
  socket.on('message', (data: Buffer) => {
    waiting.push(data);
    if (waiting.length >= waitingMax) socket.pause();
    wake();
  });
  socket.once('close', () => {
    isOver = true;
    wake();
  });
  return {
    async *[Symbol.asyncIterator]() {
      for (;;) {
        const next = waiting.shift();
        if (next !== undefined) {
          if (socket.isPaused) socket.resume();
          yield next;
        } else if (isOver) return;
        else await new Promise<void>((resolve) => (wake = resolve));
      }
    },
  };
}
