import { createServer } from 'node:net';
import type { Immutable, Pod } from '@tappaas/sdk';
import { hostPortKey } from '../../annotations.js';
import type { PortRange } from '../settings.js';

/** Gives out ports of one range; a port given is free at that time and is not given again until released. */
export class PortPool {
  readonly #range: PortRange;
  readonly #taken = new Set<number>();
  #next: number;

  /**
   * `start`: where in the range to begin. Pools that begin elsewhere do not give out the same port at the same moment: a pod listens only
   * later, so until then another platform of this machine would find its port free as well.
   */
  constructor(range: PortRange, start = 0) {
    this.#range = range;
    this.#next = range.from + (start % (range.to - range.from + 1));
  }

  /** Marks a port that is in use already, as after a restart. */
  claim(port: number): void {
    this.#taken.add(port);
  }

  release(port: number): void {
    this.#taken.delete(port);
  }

  /** Takes one port of the range, if it is free. */
  async takeThis(port: number): Promise<boolean> {
    if (port < this.#range.from || port > this.#range.to || this.#taken.has(port)) return false;
    this.#taken.add(port);
    if (await isFree(port)) return true;
    this.#taken.delete(port);
    return false;
  }

  /** @throws when the whole range is taken. */
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

/** Whether nobody listens on the port, on any address of this machine. */
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

/** A free host port for every declared port of a pod, in the order of declaration; `hostPort` is taken as it is. */
export async function takeHostPorts(pod: Immutable<Pod>, pool: PortPool): Promise<Readonly<Record<string, number>>> {
  const ports: Record<string, number> = {};
  for (const container of [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])]) {
    for (const port of container.ports ?? []) {
      ports[hostPortKey(container.name, port)] = port.hostPort === undefined || port.hostPort === 0 ? await pool.take() : port.hostPort;
    }
  }
  return ports;
}
