import type { Server } from 'node:net';
import type { Clock } from '@tappaas/sdk';

const retryMs = 1000;

/** Listens as soon as the port is free, and resolves on abort. `onOutcome` is told the error while it is not, then nothing. */
export async function keepListening(
  server: Server,
  host: string,
  port: number,
  clock: Clock,
  signal: AbortSignal,
  onOutcome: (error: NodeJS.ErrnoException | undefined) => void,
): Promise<void> {
  while (!signal.aborted) {
    const error = await listenOnce(server, host, port);
    onOutcome(error);
    if (error === undefined) break;
    if (error.code === 'EADDRNOTAVAIL' || error.code === 'EAFNOSUPPORT') break;
    await clock.sleep(retryMs, signal).catch(() => undefined);
  }
  if (!signal.aborted) await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

/** Tries once. Gives the error when it does not work. */
export function listenOnce(server: Server, host: string, port: number): Promise<NodeJS.ErrnoException | undefined> {
  const { promise, resolve } = Promise.withResolvers<NodeJS.ErrnoException | undefined>();
  const onError = (error: NodeJS.ErrnoException) => {
    server.off('listening', onListening);
    resolve(error);
  };
  const onListening = () => {
    server.off('error', onError);
    resolve(undefined);
  };
  server.once('error', onError);
  server.once('listening', onListening);
  server.listen({ host, port, exclusive: true });
  return promise;
}
