import type { ClusterAccesses } from './cluster-access.js';
import { startClusterScheduler, type ClusterSchedulerOptions, type RunningScheduler } from './cluster-scheduler.js';

/** One scheduler per cluster whose plugin requests one; clusters are added and removed with generations. */
export class ClusterSchedulers {
  readonly #parts: Omit<ClusterSchedulerOptions, 'access'>;
  readonly #clusters: ClusterAccesses;
  #running: readonly RunningScheduler[] = [];

  constructor(clusters: ClusterAccesses, parts: Omit<ClusterSchedulerOptions, 'access'>) {
    this.#clusters = clusters;
    this.#parts = parts;
  }

  get all(): readonly RunningScheduler[] {
    return this.#running;
  }

  /** Starts missing schedulers and stops obsolete ones. */
  async follow(): Promise<void> {
    const binding = this.#clusters
      .names()
      .flatMap((name) => this.#clusters.of(name) ?? [])
      .filter(({ cluster }) => cluster.scheduling === 'bind');
    const isBound = ({ cluster }: RunningScheduler) => binding.some(({ name }) => name === cluster);
    const gone = this.#running.filter((running) => !isBound(running));
    const kept = this.#running.filter(isBound);
    const started = binding
      .filter(({ name }) => !kept.some(({ cluster }) => cluster === name))
      .map((access) => startClusterScheduler({ access, ...this.#parts }));
    this.#running = [...kept, ...started];
    await Promise.all(gone.map((running) => running.stop()));
  }

  async stop(): Promise<void> {
    await Promise.all(this.#running.map((running) => running.stop()));
  }
}
