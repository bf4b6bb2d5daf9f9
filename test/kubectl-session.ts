/** A person with kubectl, for tests: the real program, a home of its own, and everything it has printed. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { isCi } from './is-ci.ts';
import { root } from './platform-process.ts';

/** The path of the kubectl to use. In CI one is fetched when it is missing, elsewhere only one that is there counts. */
function findKubectl(): { readonly path?: string; readonly problem: string } {
  const found = spawnSync(join(root, '.ci/kubectl'), isCi ? [] : ['--no-fetch'], { encoding: 'utf8' });
  const path = found.stdout?.trim();
  return found.status === 0 && path ? { path, problem: '' } : { problem: found.stderr?.trim() || 'the script .ci/kubectl cannot be run' };
}

const kubectl = findKubectl();

/** Whether tests with kubectl are to run: in CI always, so that a missing one fails there. */
export const runsKubectl = kubectl.path !== undefined || isCi;

/** @throws when there is no kubectl, with the reason */
export function kubectlPath(): string {
  if (kubectl.path === undefined) throw new Error(kubectl.problem);
  return kubectl.path;
}

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly input?: string | object;
  readonly env?: Readonly<Record<string, string>>;
}

/** A command that keeps running, such as `get -w`. */
export interface RunningCommand {
  stdout(): string;
  /** Waits until what it has printed fits. */
  shows(pattern: RegExp): Promise<void>;
  stop(): Promise<void>;
}

export interface KubectlSession {
  /** Commands run so far, as they were typed. */
  readonly commands: readonly string[];
  run(words: readonly string[], options?: RunOptions): Promise<Ran>;
  start(words: readonly string[]): RunningCommand;
}

const commandMsMax = 120_000;
const showsMsMax = 60_000;

export function openSession(kubeconfig: string, home: string): KubectlSession {
  const path = kubectlPath();
  mkdirSync(home, { recursive: true });
  const commands: string[] = [];
  const env = { ...process.env, KUBECONFIG: kubeconfig, HOME: home, TZ: 'UTC' };
  return {
    commands,
    run(words, { input, env: extra } = {}) {
      commands.push(words.join(' '));
      const child = spawn(path, words, { env: { ...env, ...extra }, stdio: ['pipe', 'pipe', 'pipe'], timeout: commandMsMax });
      let [stdout, stderr] = ['', ''];
      child.stdout.setEncoding('utf8').on('data', (chunk: string) => (stdout += chunk));
      child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk));
      child.stdin.on('error', () => {});
      child.stdin.end(typeof input === 'object' ? JSON.stringify(input) : input);
      return new Promise((resolve) => void child.once('close', (code) => resolve({ code: code ?? -1, stdout, stderr })));
    },
    start(words) {
      commands.push(words.join(' '));
      const child = spawn(path, words, { env, stdio: ['ignore', 'pipe', 'pipe'], timeout: commandMsMax });
      let stdout = '';
      child.stdout.setEncoding('utf8').on('data', (chunk: string) => (stdout += chunk));
      const ended = new Promise<void>((resolve) => void child.once('close', () => resolve()));
      return {
        stdout: () => stdout,
        async shows(pattern) {
          const endMs = Date.now() + showsMsMax;
          while (!pattern.test(stdout)) {
            if (Date.now() > endMs || child.exitCode !== null)
              throw new Error(`${words.join(' ')} never showed ${pattern}; it showed:\n${stdout}`);
            await new Promise((resolve) => setTimeout(resolve, 20));
          }
        },
        async stop() {
          child.kill('SIGTERM');
          await ended;
        },
      };
    },
  };
}
