import type { Server } from 'node:net';
import type { Clock } from '@tappaas/sdk';

const retryMs = 1000;

/** Listens as soon as the port is free; resolves on abort. `onOutcome` gets the error of each failed attempt, then undefined. */
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

/** Tries to listen once; returns the error if it fails. */
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
