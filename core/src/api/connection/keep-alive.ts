import type { IncomingMessage } from 'node:http';

/** Clients are told to stop using a silent connection so long before it ends, so that no request meets its end. */
const reuseMs = 25_000;

/** What clients are told of how long a connection may be silent. */
export function keepAliveHint(silentMsMax: number): string {
  return `timeout=${Math.max(1, Math.floor((silentMsMax - reuseMs) / 1000))}`;
}

/** Says whether a connection is used again after the answer, as far as the client has a say in it. */
export function staysOpen({ httpVersion, headers: { connection } }: IncomingMessage): boolean {
  return httpVersion === '1.1' && (connection === undefined || connection.toLowerCase() === 'keep-alive');
}
