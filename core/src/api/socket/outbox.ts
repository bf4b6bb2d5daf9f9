import type { Clock } from '@tappaas/sdk';
import type { Socket } from 'socket.io';
import { SharedDrain } from '../watch/slow-reader.js';

/** Maximum bytes of one message, as sent. */
export const messageBytesMax = 64 * 1024;
const waitingMax = 64;

type Connection = Socket['conn'];

/** Sends messages to one client; beyond waitingMax unsent messages, senders wait. */
export class Outbox {
  readonly #connection: Connection;
  readonly #drain: SharedDrain;
  #waiting = 0;
  readonly #sent = (): void => {
    this.#waiting -= 1;
    if (this.#waiting < waitingMax) this.#drain.release();
  };

  constructor(connection: Connection, clock: Clock, drainMsMax: number) {
    this.#connection = connection;
    // The connection is closed by the client's rooms after they have sent the reason.
    this.#drain = new SharedDrain({ clock, drainMsMax }, () => {});
    connection.once('close', () => this.#drain.release());
  }

  /**
   * Sends one message, an encoded socket.io packet or a whole WebSocket frame, as soon as there is room; does nothing after the client has
   * disconnected.
   *
   * @throws TAP_REQUEST_SLOW_READER when the client reads nothing for `drainMsMax`
   */
  async send(packet: string | Buffer): Promise<void> {
    while (this.#isOpen() && this.#waiting >= waitingMax) await this.#drain.wait();
    if (!this.#isOpen()) return;
    this.#waiting += 1;
    if (typeof packet === 'string') this.#connection.write(packet, { compress: false }, this.#sent);
    // As socket.io's own adapter does for a broadcast.
    else this.#connection.write('', { compress: false, wsPreEncodedFrame: [packet] } as object, this.#sent);
  }

  #isOpen(): boolean {
    return this.#connection.readyState === 'open';
  }
}

/** Encodes an event of socket.io's main namespace: packet type 2, then name and argument as JSON. */
export function eventPacket(name: string, argument: string): string {
  return `2["${name}",${argument}]`;
}

/** Encodes a WebSocket text frame from parts of a message (RFC 6455, 5.2); servers do not mask. */
export function eventFrame(parts: readonly Uint8Array[]): Buffer {
  const length = parts.reduce((sum, { byteLength }) => sum + byteLength, 0);
  const head = Buffer.alloc(length < 126 ? 2 : 4);
  head.writeUInt8(0x81, 0);
  head.writeUInt8(length < 126 ? length : 126, 1);
  // No message is larger than 64 KiB.
  if (length >= 126) head.writeUInt16BE(length, 2);
  return Buffer.concat([head, ...parts]);
}
