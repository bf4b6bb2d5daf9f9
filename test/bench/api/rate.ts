/** What connections that never rest get answered. */
import { exchange, load, openSocket, requestText, type Place } from './load.ts';
import { objects, type WholePlatform } from './whole-platform.ts';
import type { Socket } from 'node:net';

const connections = 16;

export interface Rate {
  readonly perSecond: number;
  /** Of all processes that serve, together. */
  readonly perCpuSecond: number;
}

/** The best of three turns. */
export async function greatestRate({ place, reads }: WholePlatform, smoke: boolean): Promise<Rate> {
  const sockets = await Promise.all(Array.from({ length: connections }, () => openSocket(place)));
  const [first] = sockets;
  if (first === undefined) throw new Error('there is no connection');
  const count = smoke ? 200 : 20_000;
  let [perSecond, perCpuSecond] = [0, 0];
  for (let turn = 0; turn < (smoke ? 1 : 3); turn += 1) {
    const [startMs, startCpu] = [performance.now(), await cpuSeconds(first, place)];
    await load(sockets, count, 200, (index) => reads[index % objects] ?? Buffer.alloc(0));
    perSecond = Math.max(perSecond, (count * 1000) / (performance.now() - startMs));
    perCpuSecond = Math.max(perCpuSecond, count / ((await cpuSeconds(first, place)) - startCpu));
  }
  for (const socket of sockets) socket.destroy();
  return { perSecond, perCpuSecond };
}

/** Processor time of all processes that serve. */
async function cpuSeconds(socket: Socket, { token }: Place): Promise<number> {
  const { body } = await exchange(socket, requestText('GET', '/metrics', token));
  return [...body.toString().matchAll(/^process_cpu_seconds_total(?:\{[^}]*\})? (\S+)$/gm)].reduce(
    (sum, [, value]) => sum + Number(value),
    0,
  );
}
