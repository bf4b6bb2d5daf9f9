import { spawn } from 'node:child_process';
import { chmod, mkdir, open, readFile, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { replaceFile } from '@tappaas/sdk/durable-file';
import type { Clock, ClusterConnection } from '@tappaas/sdk';
import { remove } from '../agent/removal.js';
import { loadRecords } from '../agent/pod/pod-record.js';
import { isAlive, signalGroup } from '../agent/process/identity.js';
import { endMarked, markName, markOfRun } from '../agent/process/marked.js';
import { files, lastingDigest, settingsDigest, type AgentRecord, type AgentSettings, type AgentState } from '../agent/settings.js';
import { errors } from '../errors.js';
import { runningAgent } from './agent-record.js';
import { requestAgent, textOf } from './agent-request.js';

/** Maximum time for a start, milliseconds. */
const startMsMax = 8000;
const handOverMsMax = 5000;
const pauseMs = 20;
const logBytesMax = 8 * 1024 * 1024;
const program = fileURLToPath(new URL('../agent/main.js', import.meta.url));

/** Starts, adopts, replaces and stops the node agent of one directory. */
export class AgentControl {
  readonly #directory: string;
  readonly #clock: Clock;

  constructor(directory: string, clock: Clock) {
    this.#directory = directory;
    this.#clock = clock;
  }

  /** The running agent of the directory; undefined if there is none. */
  running(): Promise<AgentRecord | undefined> {
    return runningAgent(this.#directory);
  }

  /**
   * Ensures that an agent runs with these settings and this connection. An agent of an earlier platform is adopted with its pods. One whose
   * `lastingDigest` differs (version, images, port ranges, heartbeat) hands its pods over to a new agent; all other settings are adopted by
   * the running agent, see `state`.
   *
   * @throws CLUSTER_LOCAL_AGENT_NOT_STARTED
   */
  async ensure(settings: AgentSettings, connection: ClusterConnection, signal: AbortSignal): Promise<AgentRecord> {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    await chmod(this.#directory, 0o700);
    const text = JSON.stringify(settings);
    await this.#write(files.connection, JSON.stringify(connection));
    const present = await this.running();
    const stays = present?.lastingDigest === lastingDigest(settings);
    if (present && !stays) await this.#handOver(present, signal);
    await this.#write(files.settings, text);
    if (present && stays) return present;
    return this.#start(signal);
  }

  /** The agent's state; an agent with other settings is first made to reload them. */
  async state(record: AgentRecord, settings: AgentSettings, signal: AbortSignal): Promise<AgentState> {
    const readState = async (): Promise<AgentState> =>
      JSON.parse(await textOf(await requestAgent(record, 'GET', '/state', signal))) as AgentState;
    const state = await readState();
    if (state.settingsDigest === settingsDigest(settings)) return state;
    (await requestAgent(record, 'POST', '/settings', signal)).resume();
    return readState();
  }

  /** Ends the agent and every pod within the time; whatever has not ended by then is killed. */
  async stop(withinMs: number, signal: AbortSignal): Promise<void> {
    const record = await this.running();
    const graceMs = Math.max(0, withinMs - 1500);
    if (record) {
      await requestAgent(record, 'POST', `/stop?pods=end&graceMs=${graceMs}`, signal).catch(() => undefined);
      await this.#untilRemoved(record, Math.max(100, withinMs - 500), signal);
      if (isAlive(record)) process.kill(record.pid, 'SIGKILL');
    }
    await this.#sweep();
    await remove(join(this.#directory, files.connection));
  }

  async #write(name: string, text: string): Promise<void> {
    const path = join(this.#directory, name);
    if ((await readFile(path, 'utf8').catch(() => undefined)) !== text) await replaceFile(path, text);
  }

  async #handOver(record: AgentRecord, signal: AbortSignal): Promise<void> {
    await requestAgent(record, 'POST', '/stop?pods=keep', signal).catch(() => undefined);
    await this.#untilRemoved(record, handOverMsMax, signal);
    if (isAlive(record)) process.kill(record.pid, 'SIGKILL');
    await this.#untilRemoved(record, handOverMsMax, signal);
  }

  async #start(signal: AbortSignal): Promise<AgentRecord> {
    await remove(join(this.#directory, files.agent));
    const path = join(this.#directory, files.log);
    const size = await stat(path).then(
      ({ size: bytes }) => bytes,
      () => 0,
    );
    if (size > logBytesMax) await rename(path, `${path}.1`);
    const log = await open(path, 'a', 0o600);
    try {
      const child = spawn(process.execPath, [program, this.#directory], {
        cwd: this.#directory,
        detached: true,
        stdio: ['ignore', log.fd, log.fd],
      });
      const ended = new Promise<string>((resolve) => {
        child.once('error', (error) => resolve(error.message));
        child.once('exit', (code, how) => resolve(`it ended with ${code ?? how}`));
      });
      child.unref();
      return await this.#untilStarted(ended, signal).catch(async (error: unknown) => {
        // Without a record nothing could find it later. The pods that it has begun to adopt remain for the next agent, or for `stop`.
        child.kill('SIGKILL');
        await ended;
        throw error;
      });
    } finally {
      await log.close();
    }
  }

  async #untilStarted(ended: Promise<string>, signal: AbortSignal): Promise<AgentRecord> {
    let problem: string | undefined;
    void ended.then((message) => (problem = message));
    const endMs = this.#clock.nowMs() + startMsMax;
    while (this.#clock.nowMs() < endMs) {
      const record = await this.running();
      if (record) return record;
      if (problem !== undefined) break;
      await this.#clock.sleep(pauseMs, signal);
    }
    const message = `the node agent in ${this.#directory} did not start: ${problem ?? `no sign of it within ${startMsMax} ms`}`;
    throw errors.CLUSTER_LOCAL_AGENT_NOT_STARTED({ message });
  }

  async #untilRemoved(record: AgentRecord, atMostMs: number, signal: AbortSignal): Promise<void> {
    const endMs = this.#clock.nowMs() + atMostMs;
    while (isAlive(record) && this.#clock.nowMs() < endMs) await this.#clock.sleep(pauseMs, signal).catch(() => undefined);
  }

  /** Kills containers that a killed agent left behind. */
  async #sweep(): Promise<void> {
    for (const [uid, { containers }] of await loadRecords(join(this.#directory, 'pods'))) {
      for (const [name, { state, starts }] of Object.entries(containers)) {
        if (state.is !== 'running') continue;
        signalGroup(state.identity, 'SIGKILL');
        await endMarked(markName, markOfRun(uid, name, starts));
      }
    }
  }
}
