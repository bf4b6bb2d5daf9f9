import { readFile } from 'node:fs/promises';
import { dirname, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { deploy } from '../cli/commands/deploy.js';
import { explained } from '../cli/explained.js';
import { toldError } from '../cli/told.js';
import { exitCodes, type Invocation } from '../cli/command.js';
import type { Terminal, UpOptions } from '../cli/terminal.js';
import { startPlatform, type Platform } from '../platform.js';
import { pluginOf } from '../kernel/kernel.js';
import { createLog, type Log } from '../telemetry/log.js';
import { untilToldToEnd } from './ending.js';
import { platformEngine } from './engines.js';
import { systemClock } from './system-clock.js';
import { workerForks } from './workers/fork.js';

/** What the process lends to `tappaas up`: the only place besides main.ts that touches it. */
export interface UpSurroundings {
  readonly terminal: Terminal;
  readonly onSignal: (signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP', heard: () => void) => void;
  /** Hears errors that nobody caught, thrown or rejected; nothing else does. */
  readonly onUncaught: (heard: (error: unknown) => void) => void;
  /** Ends the process at once. */
  readonly exit: (code: number) => void;
}

/** Starts the platform, deploys the first application, says where everything is, and ends when it is told to stop. */
export async function up(options: UpOptions, surroundings: UpSurroundings): Promise<number> {
  const { stderr } = options;
  const log = createLog({ write: (text) => stderr.write(text), clock: systemClock, format: stderr.isTTY ? 'text' : 'json', level: 'info' });
  try {
    return await run(options, surroundings, log);
  } catch (error) {
    if (toldError(error) !== undefined) throw error;
    log.error('the platform ended because of an error', { error });
    return exitCodes.failed;
  }
}

async function run(options: UpOptions, { terminal, onSignal, onUncaught, exit }: UpSurroundings, log: Log): Promise<number> {
  const { stdout } = options;
  const startMs = terminal.nowMs();
  const told = untilToldToEnd({ onSignal, onUncaught, exit, pluginOf, log, clock: systemClock });
  const running = Promise.withResolvers<Platform>();
  onSignal('SIGHUP', () => {
    // Heard from the beginning: by default it would end a process that is still starting.
    void running.promise.then((platform) => platform.reload()).catch((error: unknown) => log.error('the reload failed', { error }));
  });
  const version = (JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }).version;
  const platform = await startPlatform({
    configFile: options.configFile,
    directory: terminal.cwd,
    clock: systemClock,
    random: Math.random,
    env: terminal.env,
    log,
    version,
    forkWorker: workerForks(fileURLToPath(new URL('../worker.js', import.meta.url))),
  }).catch(explained);
  running.resolve(platform);
  let code: number;
  try {
    const url = await Promise.race([firstDeployment(options, terminal, platform), told.then(() => undefined)]);
    stdout.write(banner(platform, url, terminal, terminal.nowMs() - startMs));
    code = await told;
    stdout.write('\nStopping …\n');
  } finally {
    await platform.stop();
  }
  stdout.write('Stopped.\n');
  return code;
}

/** Deploys the directory when nothing was deployed yet; answers the application's URL. */
async function firstDeployment(
  { firstDeployment: directory, stdout }: UpOptions,
  terminal: Terminal,
  platform: Platform,
): Promise<string | undefined> {
  if (directory === undefined) return undefined;
  const [{ connectionOfKubeconfig }, { clientOf }] = await Promise.all([import('../cli/kubeconfig.js'), import('../cli/connect.js')]);
  const connection = connectionOfKubeconfig(await readFile(platform.kubeconfig, 'utf8'));
  if (connection === undefined) return undefined;
  const client = await clientOf(connection);
  const known = await client.json<{ items: readonly { metadata: { name: string }; status?: { url?: string } }[] }>(
    '/apis/apps.tappaas.dev/v1alpha1/applications?limit=1',
  );
  const [first] = known?.items ?? [];
  if (first) return first.status?.url;
  stdout.write(`Deploying ${relative(terminal.cwd, directory) || directory}\n`);
  let url: string | undefined;
  const invocation: Invocation = {
    terminal: {
      ...terminal,
      stdout: { write: (text: string) => stdout.write(text.split('\n\n')[0] === '' ? '' : text), ...(stdout.isTTY ? { isTTY: true } : {}) },
    },
    positionals: [directory],
    options: {},
    output: 'table',
    namespace: 'default',
    client: async () => client,
  };
  try {
    await deploy(invocation);
    const after = await client.json<{ items: readonly { status?: { url?: string } }[] }>(
      '/apis/apps.tappaas.dev/v1alpha1/applications?limit=1',
    );
    url = after?.items[0]?.status?.url;
  } catch (error) {
    const told = toldError(error);
    if (told === undefined) throw error;
    stdout.write(`The first deployment did not succeed: ${told.message}\n  ${told.remedy}\n`);
  }
  return url;
}

function banner(platform: Platform, url: string | undefined, { cwd }: Terminal, tookMs: number): string {
  const path = (file: string) => relative(cwd, file) || file;
  const token = platform.firstToken;
  const contexts = [...platform.engines.all.keys()].filter((name) => name !== platformEngine);
  const rows: readonly (readonly [string, string] | undefined)[] = [
    url ? ['answers', url] : undefined,
    ['API', platform.url],
    ['kubectl', `kubectl --kubeconfig ${path(platform.kubeconfig)} get applications`],
    ...contexts.map((name): readonly [string, string] => [
      '',
      `kubectl --kubeconfig ${path(platform.kubeconfig)} --context ${name} get pods -A`,
    ]),
    token
      ? ['log in', `npx tappaas login ${platform.url} --certificate-authority ${path(platform.authorityFile)} --token ${token}`]
      : undefined,
    token ? ['', 'This token is the administrator’s; it is shown this once and stored only as a hash.'] : undefined,
    ['deploy', 'npx tappaas deploy DIRECTORY'],
    ['stop', 'Ctrl-C'],
  ];
  const lines = rows.flatMap((row) => (row ? [`${row[0].padEnd(10)}${row[1]}`] : []));
  return `\nTAPPaaS is ready (${(tookMs / 1000).toFixed(1)} s, data in ${path(dirname(platform.kubeconfig)) || '.'}).\n\n${lines.join('\n')}\n`;
}
