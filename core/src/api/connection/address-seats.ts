import { isIPv6, type Socket } from 'node:net';
import type { Clock, Logger } from '@tappaas/sdk';

/** Capacity for the connections of one address, local to this process or shared. */
export interface Places {
  /** Number of places that this process uses. */
  readonly used: number;
  /** Takes a place; false if none is free. */
  obtain(): boolean | Promise<boolean>;
  give(): void;
}

export interface AddressSeatsOptions {
  /** Returns the places of an address or an IPv6 network. */
  readonly placesOf: (holder: string) => Places;
  readonly clock: Pick<Clock, 'nowMs'>;
  /** Called for each connection that is cut off. */
  readonly crowded: (address: string) => void;
}

interface Holder {
  readonly places: Places;
  /** Until then connections are refused without asking a shared store again, which spares it during a flood. */
  fullUntilMs: number;
}

const fullMs = 100;

/** Limits the connections per address or IPv6 network, so that no client can take them all. */
export class AddressSeats {
  readonly #options: AddressSeatsOptions;
  readonly #holders = new Map<string, Holder>();

  constructor(options: AddressSeatsOptions) {
    this.#options = options;
  }

  /** Takes a place for a connection until it closes. A connection beyond the limit is closed, as soon as the answer is known. */
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

/** Makes places local to this process. */
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

/** Makes a callback that logs refused connections at most once a minute, so that a flood cannot fill the log. */
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
 * Returns the holder that an address counts for: an IPv4 address itself, also in its IPv6-mapped form; for IPv6 the /64 network, because a
 * single machine can use every address in it.
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
