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
   * Sends one message, an encoded packet of socket.io, as soon as there is room; nothing when the client has gone.
   *
   * @throws TAP_REQUEST_SLOW_READER when the client reads nothing for as long as `drainMsMax`
   */
  async send(packet: string): Promise<void> {
    while (this.#isOpen() && this.#waiting >= waitingMax) await this.#drained();
    if (!this.#isOpen()) return;
    this.#waiting += 1;
    this.#connection.write(packet, { compress: false }, this.#sent);
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
