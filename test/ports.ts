/** Ports for servers that a test starts later, or starts again, and for those that clusters give out: nobody else's meanwhile. */
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';

/** Below what the system gives to outgoing connections, and to whoever asks for any port. */
const single = { from: 3_000, to: 9_999 };
/** Among the ports of services that a whole platform begins to give out at 10,000, and would come to after two thousand of them. */
const ranges = { from: 12_000, to: 19_999, each: 100 };
const servicesOfRange = 30;

/** A port that nobody listens on, and that no other test is given as long as this thread runs, whether or not something listens on it. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = single.from + Math.floor(Math.random() * (single.to - single.from + 1));
    if ((await isReserved(port)) && (await canListen(port))) return port;
  }
}

/** Ports that a cluster gives to its pods and services, as settings of `cluster-local`: two that have the same would take them from each other. */
export async function clusterPorts(): Promise<{
  readonly podPortFirst: number;
  readonly podPortLast: number;
  readonly servicePortFirst: number;
  readonly servicePortLast: number;
}> {
  const { from, to, each } = ranges;
  for (;;) {
    const first = from + Math.floor((Math.random() * (to - from + 1)) / each) * each;
    // Whoever keeps the first has all of them.
    if (!(await isReserved(first))) continue;
    const services = first + each - servicesOfRange;
    return { podPortFirst: first + 1, podPortLast: services - 1, servicePortFirst: services, servicePortLast: first + each - 1 };
  }
}

/** Keeps a port until this thread ends, unless another one does: the same one of UDP, which is in nobody's way. */
function isReserved(port: number): Promise<boolean> {
  const { promise, resolve, reject } = Promise.withResolvers<boolean>();
  const keeper = createSocket('udp4');
  keeper.once('error', (error) => void (isInUse(error) ? resolve(false) : reject(error)));
  keeper.bind({ port, address: '127.0.0.1', exclusive: true }, () => {
    keeper.unref();
    resolve(true);
  });
  return promise;
}

function canListen(port: number): Promise<boolean> {
  const { promise, resolve, reject } = Promise.withResolvers<boolean>();
  const server = createServer();
  server.once('error', (error) => void (isInUse(error) ? resolve(false) : reject(error)));
  server.listen({ port, exclusive: true }, () => server.close(() => resolve(true)));
  return promise;
}

const isInUse = (error: NodeJS.ErrnoException): boolean => error.code === 'EADDRINUSE';
