/** A whole platform as a process of its own, in a directory of its own, for tests that span packages. */
import type { ChildProcess, ChildProcessWithoutNullStreams } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import type { IncomingHttpHeaders } from 'node:http';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parse } from 'yaml';
import { signalGroup } from './end-process.ts';
import { HomeProcesses } from './home-processes.ts';
import { freePort } from './ports.ts';

export const root = resolve(import.meta.dirname, '..');
const command = join(root, 'core/dist/main.js');

/** A directory with a configuration; processes come and go, the data stays. */
export interface PlatformHome {
  readonly directory: string;
  readonly httpPort: number;
  /** Begins to start it, and waits for nothing. */
  spawn(): Pick<PlatformProcess, 'child' | 'output'>;
  /** `npm`: through `npm start`, in a process group of its own, as at a terminal. */
  start(through?: 'npm'): Promise<PlatformProcess>;
  /** Runs a tappaas command there. */
  tappaas(...words: readonly string[]): Promise<CommandResult>;
  /** Begins a tappaas command there, and waits for nothing. `env` is added to its environment. */
  begin(words: readonly string[], env?: Readonly<Record<string, string>>): ChildProcessWithoutNullStreams;
  /** Ends every process that was begun there, with the pods of its cluster, and removes the directory. */
  remove(): Promise<void>;
}

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface PlatformProcess {
  readonly child: ChildProcess;
  /** Everything it has printed so far. */
  output(): string;
  readonly connection: Connection;
  /** Sends a request to the API as the administrator. */
  api(method: string, path: string, body?: object, contentType?: string): Promise<ApiAnswer>;
  /** Ctrl-C, and its exit code; -1 when it had to be killed. */
  stop(): Promise<number>;
  /** SIGKILL, and its end. */
  kill(): Promise<void>;
}

export interface ApiAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  json<T>(): T;
}

/** As `plugins` of a home: the platform runs no applications. Its store, its API and its metrics remain. */
export const storeOnly = { local: null, standard: null, source: null, builds: null, applications: null, resources: null };

const startMsMax = 120_000;
const stopMsMax = 120_000;

export async function platformHome(
  options: {
    readonly plugins?: Readonly<Record<string, object | null>>;
    readonly api?: object;
    readonly first?: string;
    /** Added to the environment. */
    readonly env?: Readonly<Record<string, string>>;
  } = {},
): Promise<PlatformHome> {
  const directory = await mkdtemp(join(tmpdir(), 'tappaas-home-'));
  const httpPort = await freePort();
  const plugins = {
    store: { use: '@tappaas/store-sqlite', config: { directory: './data/store' } },
    local: {
      use: '@tappaas/cluster-local',
      config: { directory: './data/local', images: './data/images', httpPort, gracePeriodSeconds: 30 },
    },
    standard: { use: '@tappaas/runtime-standard' },
    source: { use: '@tappaas/build-source' },
    builds: { use: '@tappaas/controller-build', config: { directory: './data/builds', images: './data/images' } },
    applications: { use: '@tappaas/controller-application' },
    resources: { use: '@tappaas/scheduling-resources' },
    metrics: { use: '@tappaas/telemetry-metrics' },
    ...options.plugins,
  };
  // A platform with workers looks for a port before these begin to listen on it: meanwhile another test could be given it.
  const port = 'workers' in (options.api ?? {}) ? await freePort() : 0;
  const retained = Object.fromEntries(Object.entries(plugins).filter(([, entry]) => entry !== null));
  await writeFile(
    join(directory, 'tappaas.yaml'),
    JSON.stringify({ apiVersion: 'tappaas.dev/v1alpha1', kind: 'Platform', api: { port, ...options.api }, plugins: retained }),
  );
  const words = [process.execPath, command, ...upWords(options.first)].map((word) => `'${word}'`);
  await writeFile(join(directory, 'package.json'), JSON.stringify({ private: true, scripts: { start: `exec ${words.join(' ')}` } }));
  await symlink(join(root, 'node_modules'), join(directory, 'node_modules'));
  await mkdir(join(directory, 'home'));
  const env = { ...process.env, TAPPAAS_HOME: join(directory, 'home'), CI: '', ...options.env };
  const processes = new HomeProcesses(directory, env);
  const begin = (sent: readonly string[], added?: Readonly<Record<string, string>>) =>
    processes.begin(process.execPath, [command, ...sent], added);
  const up = () => begin(upWords(options.first));
  return {
    directory,
    httpPort,
    begin,
    spawn: () => heard(up()),
    start: (through) =>
      through === 'npm' ? start(directory, processes.begin('npm', ['start'], {}, 'group'), true) : start(directory, up()),
    tappaas: (...sent) => run(begin(sent)),
    async remove() {
      await processes.endAll();
      await rm(directory, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

const upWords = (first: string | undefined): readonly string[] => ['up', ...(first ? ['--first', first] : [])];

/** A process with all its output so far. */
function heard(child: ChildProcessWithoutNullStreams): Pick<PlatformProcess, 'child' | 'output'> {
  child.stdin.end();
  let text = '';
  const take = (chunk: Buffer): void => void (text += chunk.toString('utf8'));
  child.stdout.on('data', take);
  child.stderr.on('data', take);
  return { child, output: () => text };
}

async function start(directory: string, child: ChildProcessWithoutNullStreams, isGroup = false): Promise<PlatformProcess> {
  const { output } = heard(child);
  const signal = (name: NodeJS.Signals): void => void (isGroup ? signalGroup(child, name) : child.kill(name));
  const ended = new Promise<number>((done) => void child.once('exit', (code) => done(code ?? -1)));
  const ready = new Promise<void>((done, fail) => {
    const look = () => void (/^stop\s+Ctrl-C/m.test(output()) && done());
    child.stdout.on('data', look);
    child.stderr.on('data', look);
    void ended.then((code) => fail(new Error(`the platform ended with ${code} before it was ready:\n${output()}`)));
    setTimeout(() => fail(new Error(`the platform was not ready in ${startMsMax} ms:\n${output()}`)), startMsMax).unref();
  });
  await ready.catch((error: unknown) => {
    signal('SIGKILL');
    throw error;
  });
  const connection = await connectionOf(directory);
  return {
    child,
    connection,
    output,
    api: (method, path, body, contentType) => call(connection, method, path, body, contentType),
    async stop() {
      signal('SIGINT');
      const killTimer = setTimeout(() => signal('SIGKILL'), stopMsMax);
      return ended.finally(() => clearTimeout(killTimer));
    },
    async kill() {
      signal('SIGKILL');
      await ended;
    },
  };
}

/** Where a platform listens, and a token. */
export interface Connection {
  readonly server: string;
  readonly token: string;
  readonly ca: Buffer;
}

async function connectionOf(directory: string): Promise<Connection> {
  const config = parse(await readFile(join(directory, 'data/kubeconfig'), 'utf8')) as {
    clusters: { name: string; cluster: { server: string; 'certificate-authority-data': string } }[];
    users: { user: { token: string } }[];
  };
  const cluster = config.clusters.find(({ name }) => name === 'tappaas')?.cluster;
  if (!cluster) throw new Error('the kubeconfig has no cluster tappaas');
  return {
    server: cluster.server,
    token: config.users[0]?.user.token ?? '',
    ca: Buffer.from(cluster['certificate-authority-data'], 'base64'),
  };
}

/** Sends one request; a text body is sent unchanged. */
export function call(
  { server, token, ca }: Connection,
  method: string,
  path: string,
  body?: object | string,
  contentType = 'application/json',
  headers: Readonly<Record<string, string>> = {},
): Promise<ApiAnswer> {
  const text = typeof body === 'string' || body === undefined ? body : JSON.stringify(body);
  return new Promise((done, fail) => {
    const outgoing = request(
      new URL(path, server),
      {
        method,
        ca,
        headers: {
          authorization: `Bearer ${token}`,
          ...headers,
          ...(text ? { 'content-type': contentType, 'content-length': Buffer.byteLength(text) } : {}),
        },
      },
      (answer) => {
        let received = '';
        answer.setEncoding('utf8').on('data', (chunk: string) => (received += chunk));
        answer.on('error', fail);
        answer.on('end', () =>
          done({ status: answer.statusCode ?? 0, headers: answer.headers, text: received, json: <T>() => JSON.parse(received) as T }),
        );
      },
    );
    outgoing.on('error', fail);
    outgoing.end(text);
  });
}

function run(child: ChildProcessWithoutNullStreams): Promise<CommandResult> {
  child.stdin.end();
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (stdout += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk));
  return new Promise((done) => {
    child.once('close', (code, signal) =>
      done({ code: code ?? -1, stdout, stderr: signal === null ? stderr : `${stderr}\nit was ended by ${signal}\n` }),
    );
  });
}

/** Repeats the request until `holds` is true for the response; the error contains the last response. */
export async function eventually<T>(ask: () => Promise<T>, holds: (answer: T) => boolean, waitMsMax = 60_000): Promise<T> {
  const endMs = Date.now() + waitMsMax;
  for (;;) {
    const answer = await ask().catch((error: unknown) => error as T);
    if (!(answer instanceof Error) && holds(answer)) return answer;
    if (Date.now() > endMs)
      throw new Error(
        `not so within ${waitMsMax} ms; last: ${answer instanceof Error ? answer.message : JSON.stringify(answer)?.slice(0, 2000)}`,
      );
    await new Promise((again) => setTimeout(again, 50));
  }
}
