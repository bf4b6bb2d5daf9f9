import { createServer } from 'node:net';
import type { Immutable, Pod } from '@tappaas/sdk';
import { hostPortKey } from '../../annotations.js';
import type { PortRange } from '../settings.js';

/** Allocates ports of one range; an allocated port is free at that time, and is not allocated again until released. */
export class PortPool {
  readonly #range: PortRange;
  readonly #taken = new Set<number>();
  #next: number;

  /**
   * `start` is the offset in the range to begin at. A pod starts to listen some time after the allocation, and until then the port looks
   * free to another platform on this machine: different offsets keep the two from allocating the same port.
   */
  constructor(range: PortRange, start = 0) {
    this.#range = range;
    this.#next = range.from + (start % (range.to - range.from + 1));
  }

  /** Marks a port as used, for example by a pod from before a restart. */
  claim(port: number): void {
    this.#taken.add(port);
  }

  release(port: number): void {
    this.#taken.delete(port);
  }

  /** Allocates a specific port if it is free; returns whether it was. */
  async takeThis(port: number): Promise<boolean> {
    if (port < this.#range.from || port > this.#range.to || this.#taken.has(port)) return false;
    this.#taken.add(port);
    if (await isFree(port)) return true;
    this.#taken.delete(port);
    return false;
  }

  /** Allocates the next free port. @throws when the whole range is in use */
  async take(): Promise<number> {
    const size = this.#range.to - this.#range.from + 1;
    for (let tries = 0; tries < size; tries += 1) {
      const port = this.#next;
      this.#next = port >= this.#range.to ? this.#range.from : port + 1;
      if (this.#taken.has(port)) continue;
      this.#taken.add(port);
      if (await isFree(port)) return port;
      this.#taken.delete(port);
    }
    throw new Error(`no free port from ${this.#range.from} to ${this.#range.to}`);
  }
}

/** Whether no process listens on the port, on any address of this machine. */
export async function isFree(port: number): Promise<boolean> {
  for (const host of ['127.0.0.1', '0.0.0.0', '::']) if (!(await canListen(port, host))) return false;
  return true;
}

function canListen(port: number, host: string): Promise<boolean> {
  const { promise, resolve, reject } = Promise.withResolvers<boolean>();
  const server = createServer();
  server.once('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EADDRINUSE') resolve(false);
    else if (error.code === 'EADDRNOTAVAIL' || error.code === 'EAFNOSUPPORT') resolve(true);
    else reject(error);
  });
  server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)));
  return promise;
}

/** Allocates a host port for every declared port of a pod, in the order of declaration; a given `hostPort` is used as it is. */
export async function takeHostPorts(pod: Immutable<Pod>, pool: PortPool): Promise<Readonly<Record<string, number>>> {
  const ports: Record<string, number> = {};
  for (const container of [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])]) {
    for (const port of container.ports ?? []) {
      ports[hostPortKey(container.name, port)] = port.hostPort === undefined || port.hostPort === 0 ? await pool.take() : port.hostPort;
    }
  }
  return ports;
}
