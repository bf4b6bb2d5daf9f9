import { platformEngine } from '@tappaas/sdk';
import { readFile } from 'node:fs/promises';
import { dirname, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { calledAs } from '../cli/called-as.js';
import { deploy } from '../cli/commands/deploy.js';
import { explained } from '../cli/explained.js';
import { harmless } from '../cli/harmless.js';
import { cliErrorOf } from '../cli/cli-error-of.js';
import { exitCodes, type Invocation, type OutputFormat } from '../cli/command.js';
import type { Client } from '@tappaas/client';
import { print } from '../cli/print.js';
import type { Outlet, Terminal, UpOptions } from '../cli/terminal.js';
import { startPlatform, type Platform } from '../platform.js';
import { pluginOf } from '../kernel/kernel.js';
import { createLog, type Log } from '../telemetry/log.js';
import { untilShutdown } from './ending.js';
import { systemClock } from './system-clock.js';
import { workerForks } from './workers/fork.js';

/** Access to the process for `tappaas up`; besides main.ts, nothing else touches it. */
export interface UpParts {
  readonly terminal: Terminal;
  readonly onSignal: (signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP', listener: () => void) => void;
  /** Subscribes to uncaught errors and unhandled rejections; there is no other handler. */
  readonly onUncaught: (listener: (error: unknown) => void) => void;
  /** Ends the process immediately. */
  readonly exit: (code: number) => void;
  /** Whether one of the standard streams is a terminal; false once it has been closed. */
  readonly isAtTerminal: () => boolean;
}

/** Starts the platform, deploys the first application, prints the addresses, and runs until it is stopped. */
export async function up(options: UpOptions, surroundings: UpParts): Promise<number> {
  const { stderr } = options;
  const log = createLog({ write: (text) => stderr.write(text), clock: systemClock, format: stderr.isTTY ? 'text' : 'json', level: 'info' });
  try {
    return await run(options, surroundings, log);
  } catch (error) {
    if (cliErrorOf(error) !== undefined) throw error;
    log.error('the platform ended because of an error', { error });
    return exitCodes.failed;
  }
}

async function run(options: UpOptions, { terminal, onSignal, onUncaught, exit, isAtTerminal }: UpParts, log: Log): Promise<number> {
  const { output } = options;
  const stdout: Outlet = isReadable(output) ? options.stdout : { write: () => true };
  const startMs = terminal.nowMs();
  const running = Promise.withResolvers<Platform>();
  const startedAtTerminal = isAtTerminal();
  const untilStop = untilShutdown({
    onSignal,
    onUncaught,
    exit,
    pluginOf,
    hasLostTerminal: () => startedAtTerminal && !isAtTerminal(),
    // Subscribed from the beginning; takes effect once there is a platform to reload.
    reload: () =>
      void running.promise.then((platform) => platform.reload()).catch((error: unknown) => log.error('the reload failed', { error })),
    log,
    clock: systemClock,
  });
  const giveUp = new AbortController();
  const ending = untilStop.then((code) => {
    stdout.write('\nStopping … (Ctrl-C again ends it at once, and leaves behind what has not ended yet)\n');
    giveUp.abort();
    return code;
  });
  const version = await installedVersion();
  try {
    const platform = await startPlatform({
      configFile: options.configFile,
      directory: terminal.cwd,
      clock: systemClock,
      random: Math.random,
      env: terminal.env,
      log,
      version,
      installedVersion,
      giveUp: giveUp.signal,
      ...(options.isTokenReplaced && { isTokenReplaced: true }),
      forkWorker: workerForks(fileURLToPath(new URL('../worker.js', import.meta.url))),
    }).catch(explained);
    running.resolve(platform);
    try {
      await printAddress({ ...options, stdout }, terminal, platform, { startMs, ending });
      await ending;
    } finally {
      await platform.stop();
    }
  } catch (error) {
    // An error of an aborted start is a consequence.
    if (!giveUp.signal.aborted) throw error;
  }
  stdout.write('Stopped.\n');
  return ending;
}

async function installedVersion(): Promise<string> {
  return (JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }).version;
}

/** Deploys the first application and prints the addresses, unless the platform is stopped before. */
async function printAddress(
  options: UpOptions,
  terminal: Terminal,
  platform: Platform,
  { startMs, ending }: { readonly startMs: number; readonly ending: Promise<number> },
): Promise<void> {
  const applications = await Promise.race([firstDeployment(options, terminal, platform), ending.then(() => undefined)]);
  if (applications === undefined) return;
  const started = startOf(platform, applications, terminal.nowMs() - startMs);
  await print({ terminal, output: options.output }, started, () => banner(started, terminal));
}

const isReadable = (output: OutputFormat): boolean => output === 'table' || output === 'wide';

/** URLs of the first few applications, and the number of others. */
interface Applications {
  readonly urls: readonly string[];
  readonly more: number;
}

const noApplications: Applications = { urls: [], more: 0 };
const urlsMax = 5;

async function applicationsOf(client: Client): Promise<Applications & { readonly isAny: boolean }> {
  const known = await client.json<{
    readonly metadata: { readonly remainingItemCount?: number };
    readonly items: readonly { readonly status?: { readonly url?: string } }[];
  }>(`/apis/apps.tappaas.dev/v1alpha1/applications?limit=${urlsMax}`);
  const { items = [], metadata } = known ?? {};
  return { urls: items.flatMap(({ status }) => status?.url ?? []), more: metadata?.remainingItemCount ?? 0, isAny: items.length > 0 };
}

/** Deploys the directory if nothing has been deployed yet; returns the URLs of applications. */
async function firstDeployment(
  { firstDeployment: directory, output, stdout, stderr }: UpOptions,
  terminal: Terminal,
  platform: Platform,
): Promise<Applications> {
  if (directory === undefined) return noApplications;
  const [{ connectionOfKubeconfig }, { clientOf }] = await Promise.all([import('../cli/kubeconfig.js'), import('../cli/connect.js')]);
  const connection = connectionOfKubeconfig(await readFile(platform.kubeconfig, 'utf8'));
  if (connection === undefined) return noApplications;
  const client = await clientOf(connection);
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
    remark: (line) => stderr.write(`${line}\n`),
  };
  try {
    const known = await applicationsOf(client);
    if (known.isAny) return known;
    stdout.write(`Deploying ${relative(terminal.cwd, directory) || directory}\n`);
    await deploy(invocation);
    return await applicationsOf(client);
  } catch (error) {
    const failure = cliErrorOf(error);
    if (failure === undefined) throw error;
    (isReadable(output) ? stdout : stderr).write(
      harmless(`The first deployment did not succeed: ${failure.message}\n  ${failure.remedy}\n`),
    );
  }
  return noApplications;
}

/** Returns the addresses and files of a started platform. */
function startOf(platform: Platform, { urls, more }: Applications, tookMs: number) {
  const { url: api, kubeconfig, authorityFile: certificateAuthority, firstToken: token } = platform;
  const clusters = [...platform.engines.all.keys()].filter((name) => name !== platformEngine);
  return {
    api,
    kubeconfig,
    certificateAuthority,
    clusters,
    applications: urls,
    furtherApplications: more,
    tookMs,
    ...(token && { token }),
  };
}

function banner(started: ReturnType<typeof startOf>, terminal: Terminal): string {
  const { cwd } = terminal;
  const called = calledAs(terminal);
  const { api, kubeconfig, certificateAuthority, clusters, applications, furtherApplications: more, tookMs, token } = started;
  const path = (file: string) => relative(cwd, file) || file;
  const rows: readonly (readonly [string, string] | undefined)[] = [
    ...applications.map((url, n): readonly [string, string] => [n === 0 ? 'answers' : '', url]),
    more > 0 ? ['', `and ${more} more: ${called} apps --all-namespaces`] : undefined,
    ['API', api],
    ['kubectl', `kubectl --kubeconfig ${path(kubeconfig)} get applications`],
    ...clusters.map((name): readonly [string, string] => ['', `kubectl --kubeconfig ${path(kubeconfig)} --context ${name} get pods -A`]),
    token ? ['log in', `${called} login ${api} --certificate-authority ${path(certificateAuthority)} --token ${token}`] : undefined,
    token ? ['', 'This token is the administrator’s; it is shown this once and stored only as a hash.'] : undefined,
    ['deploy', `${called} deploy DIRECTORY`],
    ['stop', 'Ctrl-C'],
  ];
  const lines = rows.flatMap((row) => (row ? [`${row[0].padEnd(10)}${row[1]}`] : []));
  return `\nTAPPaaS is ready (${(tookMs / 1000).toFixed(1)} s, data in ${path(dirname(kubeconfig)) || '.'}).\n\n${lines.join('\n')}\n`;
}
