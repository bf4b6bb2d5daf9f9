import type { Clock } from '@tappaas/sdk';
import type { Socket } from 'socket.io';
import { apiErrors } from '../errors.js';

/** Of one message, as it is sent. */
export const messageBytesMax = 64 * 1024;
const waitingMax = 64;

type Connection = Socket['conn'];

/** What is on its way to one client: at most so many messages wait to be sent, whoever has more waits for them. */
export class Outbox {
  readonly #connection: Connection;
  readonly #clock: Clock;
  readonly #drainMsMax: number;
  readonly #wakers = new Set<() => void>();
  #waiting = 0;
  readonly #sent = (): void => {
    this.#waiting -= 1;
    if (this.#waiting < waitingMax) this.#wake();
  };

  constructor(connection: Connection, clock: Clock, drainMsMax: number) {
    this.#connection = connection;
    this.#clock = clock;
    this.#drainMsMax = drainMsMax;
    connection.once('close', () => this.#wake());
  }

  /**
   * Sends one message, an encoded packet of socket.io or a whole frame of WebSocket, as soon as there is room; nothing when the client has gone.
   *
   * @throws TAP_REQUEST_SLOW_READER when the client reads nothing for as long as `drainMsMax`
   */
  async send(packet: string | Buffer): Promise<void> {
    while (this.#isOpen() && this.#waiting >= waitingMax) await this.#drained();
    if (!this.#isOpen()) return;
    this.#waiting += 1;
    if (typeof packet === 'string') this.#connection.write(packet, { compress: false }, this.#sent);
    // As socket.io's own adapter does when it tells one message to many.
    else this.#connection.write('', { compress: false, wsPreEncodedFrame: [packet] } as object, this.#sent);
  }

  #isOpen(): boolean {
    return this.#connection.readyState === 'open';
  }

  #wake(): void {
    for (const wake of this.#wakers) wake();
  }

  async #drained(): Promise<void> {
    const waiting = new AbortController();
    const { promise: room, resolve } = Promise.withResolvers<boolean>();
    const wake = (): void => resolve(false);
    this.#wakers.add(wake);
    const late = this.#clock.sleep(this.#drainMsMax, waiting.signal).then(
      () => true,
      () => false,
    );
    const isLate = await Promise.race([room, late]);
    waiting.abort();
    this.#wakers.delete(wake);
    if (isLate) throw apiErrors.TAP_REQUEST_SLOW_READER({ message: `the client has read nothing for ${this.#drainMsMax} ms` });
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
