import type { Immutable, Pod } from '@tappaas/sdk';
import { isAlive } from '../process/identity.js';
import { readExit } from '../process/launch.js';
import { environmentOfProcess } from '../process/table.js';
import { join } from 'node:path';
import { logFiles } from '../log/log-files.js';
import { freshContainer, terminated, type ContainerRecord } from './container-state.js';
import { isFree, takeHostPorts } from './host-ports.js';
import type { PodContext } from './pod-context.js';
import { loadRecord, saveRecord, type PodRecord } from './pod-record.js';
import type { Beside } from './probe-check.js';

/** The durable record of a pod's containers and ports, written to disk before it is acted on. Writes are sequential. */
export class PodJournal {
  readonly #directory: string;
  readonly #context: Pick<PodContext, 'ports' | 'clock'>;
  #record: PodRecord;
  #writing: Promise<void> = Promise.resolve();

  constructor(pod: Immutable<Pod>, directory: string, context: Pick<PodContext, 'ports' | 'clock'>) {
    this.#directory = directory;
    this.#context = context;
    this.#record = { pod, startedAtMs: context.clock.nowMs(), hostPorts: {}, containers: {} };
  }

  get startedAtMs(): number {
    return this.#record.startedAtMs;
  }

  get hostPorts(): Readonly<Record<string, number>> {
    return this.#record.hostPorts;
  }

  get containers(): ReadonlyMap<string, ContainerRecord> {
    return new Map(Object.entries(this.#record.containers));
  }

  container(name: string): ContainerRecord {
    return this.#record.containers[name] ?? freshContainer;
  }

  /** Loads the record from disk, determines which processes ended since it was written, and checks the ports. */
  async open(): Promise<void> {
    const { ports, clock } = this.#context;
    const stored = await loadRecord(this.#directory);
    const isNew = stored === undefined;
    this.#record = stored ?? this.#record;
    for (const port of Object.values(this.#record.hostPorts)) ports.claim(port);
    const containers: Record<string, ContainerRecord> = {};
    for (const [name, record] of Object.entries(this.#record.containers)) {
      const { state } = record;
      if (state.is !== 'running' || isAlive(state.identity)) containers[name] = record;
      else {
        const exit = await readExit(logFiles(join(this.#directory, 'containers', name), record.starts).exit);
        containers[name] = { ...record, state: terminated(state, exit, clock.nowMs()), failures: record.failures + 1 };
      }
    }
    const isRunning = Object.values(containers).some(({ state }) => state.is === 'running');
    const hostPorts = isRunning ? this.#record.hostPorts : await this.#freePorts(isNew);
    await this.#save({ ...this.#record, hostPorts, containers });
  }

  /** Replaces the pod's ports if another program has taken one; called only while none of its containers runs. */
  async #freePorts(isNew: boolean): Promise<Readonly<Record<string, number>>> {
    const { ports } = this.#context;
    if (isNew) return takeHostPorts(this.#record.pod, ports);
    for (const port of Object.values(this.#record.hostPorts)) {
      if (await isFree(port)) continue;
      this.releasePorts();
      return takeHostPorts(this.#record.pod, ports);
    }
    return this.#record.hostPorts;
  }

  saveContainer(pod: Immutable<Pod>, name: string, container: ContainerRecord): Promise<void> {
    return this.#save({ ...this.#record, pod, containers: { ...this.#record.containers, [name]: container } });
  }

  /** Resets containers that were stopped deliberately, so that they start next time without back-off. */
  reset(names: readonly string[]): Promise<void> {
    const fresh = names.map((name) => [name, { ...this.container(name), state: freshContainer.state, failures: 0 }] as const);
    return this.#save({ ...this.#record, containers: { ...this.#record.containers, ...Object.fromEntries(fresh) } });
  }

  releasePorts(): void {
    for (const port of Object.values(this.#record.hostPorts)) this.#context.ports.release(port);
  }

  /** Where and with what environment commands run beside an adopted container. */
  async besideOf(name: string): Promise<Beside> {
    const { state, place } = this.container(name);
    const env = state.is === 'running' ? await environmentOfProcess(state.identity.pid) : {};
    return { prefix: place?.prefix ?? [], cwd: place?.cwd ?? this.#directory, env };
  }

  /** Resolves when all writes are on disk. */
  settled(): Promise<void> {
    return this.#writing;
  }

  #save(record: PodRecord): Promise<void> {
    this.#record = record;
    const writing = this.#writing.catch(() => undefined).then(() => saveRecord(this.#directory, record));
    this.#writing = writing;
    return writing;
  }
}
