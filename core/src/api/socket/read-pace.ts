import type { Socket } from 'socket.io';
import type { WebSocket } from 'ws';

type Connection = Socket['conn'];

/** Packets of any kind. An outbox takes 64 of them, so what makes it more are answers to what the client sends. */
export const packetsWaitingMax = 256;

/**
 * Stops reading from a client while more packets wait to be sent to it than `packetsWaitingMax`: acknowledgements, and refusals of
 * namespaces, which engine.io keeps in a list without a limit. A client that never reads has its heartbeat left unread as well, so engine.io
 * closes the connection.
 */
export function readAtClientPace(connection: Connection): void {
  // engine.io declares neither the list of packets that wait nor the WebSocket of its transport.
  const { transport } = connection as unknown as { readonly transport: { readonly socket: WebSocket } };
  const waiting = connection as unknown as { readonly writeBuffer: readonly unknown[] };
  const { socket } = transport;
  connection.on('packetCreate', () => {
    if (waiting.writeBuffer.length >= packetsWaitingMax && !socket.isPaused) socket.pause();
  });
  const resume = (): void => {
    if (socket.isPaused) socket.resume();
  };
  // All that waits goes to the WebSocket at once, as soon as what went before has left.
  connection.on('flush', resume);
  connection.once('close', resume);
}
