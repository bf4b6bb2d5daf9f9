import { request, type IncomingMessage } from 'node:http';
import type { AgentRecord } from '../agent/settings.js';

/** Asks the agent something; the answer's body is not read yet. @throws when it does not answer. */
export function askAgent(
  { port, token }: AgentRecord,
  method: 'GET' | 'POST',
  path: string,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const asked = request(
    { host: '127.0.0.1', port, method, path, headers: { authorization: `Bearer ${token}` }, agent: false, signal },
    resolve,
  );
  asked.once('error', reject);
  asked.end();
  return promise;
}

const bytesMax = 1024 * 1024;

/** The whole of a short answer as text. */
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
