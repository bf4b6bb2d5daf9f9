/** Servers that are measured, each in a process of its own. */
import { fork, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import type { Place } from './load.ts';
import type { Tls } from './peer-server.ts';
import type { ServerOptions } from './process.ts';

/** What a server proves itself with, and clients check it by. */
export interface Security {
  readonly tls: Tls;
  readonly authority: string;
}

/** Processor time, microseconds: of the process, and of the thread that requests are served in. */
interface Usage {
  readonly wholeUs: number;
  readonly mainUs: number;
}

/** One server, whose client this is. */
export interface Running extends Place {
  readonly name: string;
  readonly child: ChildProcess;
  usage(): Promise<Usage>;
}

function received<T>(child: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null): void => reject(new Error(`the server ended with ${code}`));
    child.once('exit', ended);
    child.once('message', (message) => {
      child.off('exit', ended);
      resolve(message as T);
    });
  });
}

export async function startServer(options: ServerOptions, security: Security | undefined): Promise<Running> {
  const child = fork(join(import.meta.dirname, 'process.ts'), { serialization: 'advanced' });
  child.send(options);
  const { port, token } = await received<{ port: number; token: string }>(child);
  const usage = (): Promise<Usage> => {
    child.send('usage');
    return received<Usage>(child);
  };
  return { name: options.be, child, port, token, usage, ...(security !== undefined && { authority: security.authority }) };
}
