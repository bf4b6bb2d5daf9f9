import type { ClientRequest, IncomingMessage } from 'node:http';
import { request } from '../node-http.js';
import type { AgentRecord } from '../agent/settings.js';

/** Begins a request to the agent; the caller sends the body. */
export function openAgent(
  { port, token }: AgentRecord,
  method: 'GET' | 'POST',
  path: string,
  signal?: AbortSignal,
): { readonly request: ClientRequest; readonly answer: Promise<IncomingMessage> } {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const headers = { authorization: `Bearer ${token}` };
  const requested = request({ host: '127.0.0.1', port, method, path, headers, agent: false, ...(signal && { signal }) }, resolve);
  requested.once('error', reject);
  return { request: requested, answer: promise };
}

/** Sends a request without a body to the agent; the response's body is not read yet. @throws when the agent does not respond */
export function requestAgent(record: AgentRecord, method: 'GET' | 'POST', path: string, signal: AbortSignal): Promise<IncomingMessage> {
  const { request: requested, answer } = openAgent(record, method, path, signal);
  requested.end();
  return answer;
}

const bytesMax = 1024 * 1024;

/** Reads a short response completely, as text. */
export async function textOf(message: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of message as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > bytesMax) throw new Error(`the answer of the node agent is longer than ${bytesMax} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
