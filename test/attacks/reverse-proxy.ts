/** Debian's nginx and haproxy in front of a server, each in a directory of its own on a free loopback port. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../ports.ts';

/** The header by which a proxy says that it has seen a request: whatever comes to the server without one was smuggled past it. */
export const markHeader = 'x-seen-by-proxy';

export interface ReverseProxy {
  readonly port: number;
  stop(): Promise<void>;
}

interface Program {
  readonly command: string;
  readonly words: (file: string) => readonly string[];
  readonly configuration: (place: { readonly directory: string; readonly port: number; readonly backend: number }) => string;
}

/** As permissive as operators configure them: bodies streamed, upgrades passed on, connections to the server kept and shared. */
export const programs = {
  nginx: {
    command: 'nginx',
    words: (file) => ['-c', file, '-e', 'stderr'],
    configuration: ({ directory, port, backend }) => `
daemon off;
master_process off;
pid ${directory}/pid;
error_log stderr crit;
events { worker_connections 256; }
http {
  access_log off;
  client_body_temp_path ${directory}/body;
  proxy_temp_path ${directory}/proxy;
  fastcgi_temp_path ${directory}/fastcgi;
  uwsgi_temp_path ${directory}/uwsgi;
  scgi_temp_path ${directory}/scgi;
  map $http_upgrade $connection_header { default upgrade; '' ''; }
  upstream api { server 127.0.0.1:${backend}; keepalive 1; }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://api;
      proxy_http_version 1.1;
      proxy_request_buffering off;
      proxy_buffering off;
      proxy_set_header Host $http_host;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $connection_header;
      proxy_set_header ${markHeader} $request_id;
    }
  }
}
`,
  },
  haproxy: {
    command: 'haproxy',
    words: (file) => ['-db', '-f', file],
    configuration: ({ port, backend }) => `
global
  maxconn 256
  nbthread 1
defaults
  mode http
  option http-keep-alive
  http-reuse always
  timeout connect 5s
  timeout client 20s
  timeout server 20s
listen api
  bind 127.0.0.1:${port}
  http-request set-header ${markHeader} %[uuid]
  server only 127.0.0.1:${backend}
`,
  },
} as const satisfies Readonly<Record<string, Program>>;

export type ProxyName = keyof typeof programs;

/** Debian puts servers where only root looks for programs. */
const env = { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/local/sbin:/usr/sbin:/sbin` };

export function isInstalled(name: ProxyName): boolean {
  return spawnSync(programs[name].command, ['-v'], { stdio: 'ignore', env }).status === 0;
}

const startMsMax = 20_000;

/** Starts one in front of a port; it listens when this resolves. */
export async function startProxy(name: ProxyName, backend: number): Promise<ReverseProxy> {
  const { command, words, configuration }: Program = programs[name];
  const directory = await mkdtemp(join(tmpdir(), `tappaas-${name}-`));
  const port = await freePort();
  const file = join(directory, 'configuration');
  await writeFile(file, configuration({ directory, port, backend }));
  const child = spawn(command, words(file), { stdio: ['ignore', 'ignore', 'pipe'], env });
  let received = '';
  child.on('error', (error) => (received += error.message));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (received = (received + text).slice(-4000)));
  const ended = new Promise<void>((resolve) => void child.once('close', () => resolve()));
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
    await rm(directory, { recursive: true, force: true });
  };
  const endMs = Date.now() + startMsMax;
  while (!(await isListening(port))) {
    if (child.exitCode === null && child.pid !== undefined && Date.now() < endMs) continue;
    await stop();
    throw new Error(`${name} did not start with\n${await readFile(file, 'utf8').catch(() => '')}\n${received}`);
  }
  return { port, stop };
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(socket.destroy() !== undefined));
    socket.once('error', () => void setTimeout(resolve, 20, false));
  });
}
