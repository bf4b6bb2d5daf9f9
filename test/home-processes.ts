/** The processes that a test begins in the directory of a platform: none of them outlives the directory. */
import { spawn, type ChildProcess, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { join } from 'node:path';
import { systemClock } from '../core/dist/platform/system-clock.js';
import { AgentControl } from '../plugins/cluster-local/dist/supervision/agent-control.js';
import { endProcess } from './end-process.ts';

const agentMsMax = 10_000;

export class HomeProcesses {
  readonly #directory: string;
  readonly #env: NodeJS.ProcessEnv;
  readonly #begun: { readonly child: ChildProcess; readonly of: 'process' | 'group' }[] = [];

  constructor(directory: string, env: NodeJS.ProcessEnv) {
    this.#directory = directory;
    this.#env = env;
  }

  /** `group`: in a process group of its own, as what is begun at a terminal. */
  begin(
    program: string,
    words: readonly string[],
    added: Readonly<Record<string, string>> = {},
    of: 'process' | 'group' = 'process',
  ): ChildProcessWithoutNullStreams {
    const child = spawn(program, words, { cwd: this.#directory, env: { ...this.#env, ...added }, detached: of === 'group' });
    this.#begun.push({ child, of });
    return child;
  }

  /** Platforms first: they would restart the others. The node agent and the pods of the cluster outlive a platform that is killed. */
  async endAll(): Promise<void> {
    await Promise.all(this.#begun.splice(0).map(({ child, of }) => endProcess(child, of)));
    await new AgentControl(join(this.#directory, 'data/local'), systemClock).stop(0, AbortSignal.timeout(agentMsMax));
  }
}
