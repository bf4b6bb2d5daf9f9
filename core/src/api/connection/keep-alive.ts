import type { IncomingMessage } from 'node:http';

/** Margin between the hint to clients and the actual timeout, so that no request arrives at a connection that is being closed. */
const reuseMs = 25_000;

/** Returns the Keep-Alive header, which tells clients how long a connection may be idle. */
export function keepAliveHint(silentMsMax: number): string {
  return `timeout=${Math.max(1, Math.floor((silentMsMax - reuseMs) / 1000))}`;
}

/** Whether the client allows the connection to be used again after the answer. */
export function staysOpen({ httpVersion, headers: { connection } }: IncomingMessage): boolean {
  return httpVersion === '1.1' && (connection === undefined || connection.toLowerCase() === 'keep-alive');
}
