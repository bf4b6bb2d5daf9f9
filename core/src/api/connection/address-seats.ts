import { isIPv6, type Socket } from 'node:net';
import type { Clock, Logger } from '@tappaas/sdk';

/** The places that the connections of one address have, wherever they are kept. */
export interface Places {
  /** Those of this process. */
  readonly used: number;
  /** Takes one, if there is one. */
  obtain(): boolean | Promise<boolean>;
  give(): void;
}

export interface AddressSeatsOptions {
  /** Places of an address, or of one network of IPv6. */
  readonly placesOf: (holder: string) => Places;
  readonly clock: Pick<Clock, 'nowMs'>;
  /** Hears of who is cut off. */
  readonly crowded: (address: string) => void;
}

interface Holder {
  readonly places: Places;
  /** Whoever keeps the places has said that there are none, and is not asked again for each connection of a flood. */
  fullUntilMs: number;
}

const fullMs = 100;

/** Connections of one address, or of one network of IPv6, so that nobody takes all that there are. */
export class AddressSeats {
  readonly #options: AddressSeatsOptions;
  readonly #holders = new Map<string, Holder>();

  constructor(options: AddressSeatsOptions) {
    this.#options = options;
  }

  /** Gives a connection its place until it closes; cuts it off when its address has as many as it may, at once or when that is heard. */
  take(socket: Socket): void {
    const { placesOf, clock } = this.#options;
    const name = holderOf(socket.remoteAddress ?? '');
    const holder = this.#holders.get(name) ?? { places: placesOf(name), fullUntilMs: -Infinity };
    this.#holders.set(name, holder);
    const got = holder.fullUntilMs <= clock.nowMs() && holder.places.obtain();
    if (!(got instanceof Promise)) return this.#seat(socket, name, holder, got);
    void got.then((isFree) => {
      if (!isFree) holder.fullUntilMs = clock.nowMs() + fullMs;
      this.#seat(socket, name, holder, isFree);
    });
  }

  #seat(socket: Socket, name: string, holder: Holder, isFree: boolean): void {
    if (!isFree) {
      this.#options.crowded(socket.remoteAddress ?? '');
      socket.destroy();
      this.#forget(name, holder);
    } else if (socket.destroyed) this.#giveBack(name, holder);
    else socket.once('close', () => this.#giveBack(name, holder));
  }

  #giveBack(name: string, holder: Holder): void {
    holder.places.give();
    this.#forget(name, holder);
  }

  #forget(name: string, holder: Holder): void {
    if (holder.places.used === 0 && this.#holders.get(name) === holder) this.#holders.delete(name);
  }
}

/** Places of this process alone. */
export function ownPlaces(max: number): Places {
  let used = 0;
  return {
    get used() {
      return used;
    },
    obtain() {
      if (used >= max) return false;
      used += 1;
      return true;
    },
    give: () => void (used -= 1),
  };
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
 * The client that an address is counted for: for IPv4 the address itself, also in its IPv6 form; for IPv6 its /64, since a single machine
 * can use every address in it.
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
