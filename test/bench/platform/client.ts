import { readFile } from 'node:fs/promises';
import { Agent, request } from 'node:https';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { Connection, PlatformHome } from '../../platform-process.ts';

export const writersMax = 32;

/** Asks over one kept connection: what is measured is the server. */
export class Client {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: writersMax });
  readonly #base: Connection;

  private constructor(base: Connection) {
    this.#base = base;
  }

  static async of({ directory }: PlatformHome): Promise<Client> {
    const config = parse(await readFile(join(directory, 'data/kubeconfig'), 'utf8')) as {
      clusters: { cluster: { server: string; 'certificate-authority-data': string } }[];
      users: { user: { token: string } }[];
    };
    const cluster = config.clusters[0]?.cluster;
    return new Client({
      server: cluster?.server ?? '',
      token: config.users[0]?.user.token ?? '',
      ca: Buffer.from(cluster?.['certificate-authority-data'] ?? '', 'base64'),
    });
  }

  send(method: string, path: string, body?: object): Promise<{ status: number; text: string }> {
    const { server, token, ca } = this.#base;
    const text = body === undefined ? undefined : JSON.stringify(body);
    return new Promise((done, fail) => {
      const headers = {
        authorization: `Bearer ${token}`,
        ...(text ? { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) } : {}),
      };
      const outgoing = request(new URL(path, server), { method, ca, agent: this.#agent, headers }, (answer) => {
        let received = '';
        answer.setEncoding('utf8').on('data', (chunk: string) => (received += chunk));
        answer.on('end', () => done({ status: answer.statusCode ?? 0, text: received }));
      });
      outgoing.on('error', fail);
      outgoing.end(text);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}
