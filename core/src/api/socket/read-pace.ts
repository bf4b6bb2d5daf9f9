import type { Socket } from 'socket.io';
import type { WebSocket } from 'ws';

type Connection = Socket['conn'];

/** Maximum unsent packets of any kind. The outbox allows 64, so any beyond that are answers to the client's own packets. */
export const packetsWaitingMax = 256;

/**
 * Stops reading from a client with more than `packetsWaitingMax` unsent packets: acknowledgements and namespace errors, which engine.io
 * keeps in an unbounded list. While reading is paused, heartbeats go unread too, so engine.io closes the connection of a client that
 * never reads.
 */
export function readAtClientPace(connection: Connection): void {
  // engine.io's types declare neither the list of unsent packets nor the WebSocket of its transport.
  const { transport } = connection as unknown as { readonly transport: { readonly socket: WebSocket } };
  const waiting = connection as unknown as { readonly writeBuffer: readonly unknown[] };
  const { socket } = transport;
  connection.on('packetCreate', () => {
    if (waiting.writeBuffer.length >= packetsWaitingMax && !socket.isPaused) socket.pause();
  });
  const resume = (): void => {
    if (socket.isPaused) socket.resume();
  };
  // All unsent packets go to the WebSocket at once, as soon as the previous ones are sent.
  connection.on('flush', resume);
  connection.once('close', resume);
}
