import type { Clock } from '@tappaas/sdk';
import type { Socket } from 'socket.io';
import { SharedDrain } from '../watch/slow-reader.js';

/** Maximum bytes of one message, as sent. */
export const messageBytesMax = 64 * 1024;
const waitingMax = 64;

type Connection = Socket['conn'];

/** What is on its way to one client: at most so many messages wait to be sent, whoever has more waits for them. */
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
    // Whoever owns the connection closes it, once it has told why.
    this.#drain = new SharedDrain({ clock, drainMsMax }, () => {});
    connection.once('close', () => this.#drain.release());
  }

  /**
   * Sends one message, an encoded packet of socket.io or a whole frame of WebSocket, as soon as there is room; nothing when the client has
   * gone.
   *
   * @throws TAP_REQUEST_SLOW_READER when the client reads nothing for as long as `drainMsMax`
   */
  async send(packet: string | Buffer): Promise<void> {
    while (this.#isOpen() && this.#waiting >= waitingMax) await this.#drain.wait();
    if (!this.#isOpen()) return;
    this.#waiting += 1;
    if (typeof packet === 'string') this.#connection.write(packet, { compress: false }, this.#sent);
    // As socket.io's own adapter does when it tells one message to many.
    else this.#connection.write('', { compress: false, wsPreEncodedFrame: [packet] } as object, this.#sent);
  }

  #isOpen(): boolean {
    return this.#connection.readyState === 'open';
  }
}

/** An event of socket.io's main namespace, encoded: packet type 2, then name and argument as JSON. */
export function eventPacket(name: string, argument: string): string {
  return `2["${name}",${argument}]`;
}

/** A text frame of WebSocket around parts of a message (RFC 6455, 5.2); servers do not mask. */
export function eventFrame(parts: readonly Uint8Array[]): Buffer {
  const length = parts.reduce((sum, { byteLength }) => sum + byteLength, 0);
  const head = Buffer.alloc(length < 126 ? 2 : 4);
  head.writeUInt8(0x81, 0);
  head.writeUInt8(length < 126 ? length : 126, 1);
  // No message is larger than 64 KiB.
  if (length >= 126) head.writeUInt16BE(length, 2);
  return Buffer.concat([head, ...parts]);
}
