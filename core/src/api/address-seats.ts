import { isIPv6, type Socket } from 'node:net';
import type { Clock, Logger } from '@tappaas/sdk';

/** Connections of one address, or of one network of IPv6, so that nobody takes all that there are. */
export class AddressSeats {
  readonly #seatsMax: number;
  readonly #taken = new Map<string, number>();

  constructor(seatsMax: number) {
    this.#seatsMax = seatsMax;
  }

  /** Gives a connection its seat until it closes; false when its address has as many as it may. */
  take(socket: Socket): boolean {
    const holder = holderOf(socket.remoteAddress ?? '');
    const taken = this.#taken.get(holder) ?? 0;
    if (taken >= this.#seatsMax) return false;
    this.#taken.set(holder, taken + 1);
    socket.once('close', () => this.#giveBack(holder));
    return true;
  }

  #giveBack(holder: string): void {
    const left = (this.#taken.get(holder) ?? 0) - 1;
    if (left > 0) this.#taken.set(holder, left);
    else this.#taken.delete(holder);
  }
}

const noticeEveryMs = 60_000;

/** Tells the log of somebody who was cut off, once a minute and no more: a flood is not to fill it. */
export function crowdedNotice(connectionsPerAddressMax: number, clock: Pick<Clock, 'nowMs'>, log: Logger): (address: string) => void {
  let nextMs = -Infinity;
  let cutOff = 0;
  return (address) => {
    cutOff += 1;
    const nowMs = clock.nowMs();
    if (nowMs < nextMs) return;
    nextMs = nowMs + noticeEveryMs;
    log.warn('an address has as many connections as it may, and further ones are cut off', { address, connectionsPerAddressMax, cutOff });
    cutOff = 0;
  };
}

const groupsOfNetwork = 4;
const groupsOfAddress = 8;

/**
 * Whom an address belongs to: of IPv4 the address itself, in its form as IPv6 too; of IPv6 its /64, of which a single machine has every address.
 *
 * @source RFC 6177
 */
export function holderOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  const [plain = ''] = address.split('%');
  if (!isIPv6(plain)) return address;
  const [head = '', tail] = plain.split('::');
  const groups = (text = '') => (text === '' ? [] : text.split(':'));
  const gap = tail === undefined ? 0 : groupsOfAddress - groups(head).length - groups(tail).length;
  const all = [...groups(head), ...Array.from({ length: gap }, () => '0'), ...groups(tail)];
  return `${all.slice(0, groupsOfNetwork).join(':')}::/64`;
}
