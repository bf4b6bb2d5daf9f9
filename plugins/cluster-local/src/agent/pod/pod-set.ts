import type { Immutable, Pod } from '@tappaas/sdk';
import type { PodContext } from './pod-context.js';
import { loadRecords } from './pod-record.js';
import { PodWorker, type Ending } from './pod-worker.js';

/** The workers of all pods on the agent's nodes. */
export class PodSet {
  readonly #context: PodContext;
  readonly #workers = new Map<string, PodWorker>();
  #ending = false;

  constructor(context: PodContext) {
    this.#context = context;
  }

  get size(): number {
    return this.#workers.size;
  }

  /** Resumes the pods of the previous agent before the platform is contacted, so that they continue even while it is unavailable. */
  async open(): Promise<void> {
    for (const [uid, { pod }] of await loadRecords(this.#context.podsDirectory)) this.#begin(uid, pod);
  }

  worker(uid: string): PodWorker | undefined {
    return this.#workers.get(uid);
  }

  workers(): Iterable<PodWorker> {
    return this.#workers.values();
  }

  /** Synchronizes the workers with the platform's pods; pods that no longer exist there are ended at once. */
  sync(pods: Iterable<Immutable<Pod>>): void {
    if (this.#ending) return;
    const wanted = new Map([...pods].map((pod) => [pod.metadata.uid ?? '', pod]));
    for (const [uid, worker] of this.#workers) if (!wanted.has(uid)) worker.end({ graceMs: removedGraceMs, isFinal: true });
    for (const [uid, pod] of wanted) this.#see(uid, pod);
  }

  /** Ends all pods; the next agent starts them again. Resolves when nothing runs any more. */
  async stop(graceMs: number): Promise<void> {
    this.#ending = true;
    const workers = [...this.#workers.values()];
    for (const worker of workers) worker.end({ graceMs: Math.min(graceMs, graceOf(worker.pod)), isFinal: false });
    await Promise.all(workers.map(({ over }) => over.catch(() => undefined)));
  }

  /** Stops following all pods, whose processes keep running. */
  async abandon(): Promise<void> {
    this.#ending = true;
    await Promise.all([...this.#workers.values()].map((worker) => worker.abandon().catch(() => undefined)));
  }

  #see(uid: string, pod: Immutable<Pod>): void {
    const isOver = pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
    const known = this.#workers.get(uid);
    if (!known && isOver && pod.metadata.deletionTimestamp === undefined) return;
    if (!known && this.#workers.size >= this.#context.settings.podsMax) {
      return this.#context.log.warn('no room for a pod', { pod: pod.metadata.name, podsMax: this.#context.settings.podsMax });
    }
    const worker = known ?? this.#begin(uid, pod);
    worker.update(pod);
    if (pod.metadata.deletionTimestamp !== undefined) worker.end(endingOf(pod));
  }

  #begin(uid: string, pod: Immutable<Pod>): PodWorker {
    const worker = new PodWorker(pod, this.#context);
    this.#workers.set(uid, worker);
    const forget = () => void (this.#workers.get(uid) === worker && this.#workers.delete(uid));
    worker.over.then(forget, (error: unknown) => this.#beginAgain(uid, worker, error));
    return worker;
  }

  /** Replaces a failed worker after a pause; the new one resumes from the record on disk and adopts running processes. */
  async #beginAgain(uid: string, failed: PodWorker, error: unknown): Promise<void> {
    const { clock, log } = this.#context;
    const { pod } = failed;
    log.error('a pod could not be kept', { pod: pod.metadata.name, error: error instanceof Error ? error.stack : String(error) });
    await clock.sleep(againMs, new AbortController().signal);
    if (this.#workers.get(uid) !== failed) return;
    this.#workers.delete(uid);
    if (this.#ending) return;
    const worker = this.#begin(uid, failed.pod);
    if (failed.ending) worker.end(failed.ending);
  }
}

/** Delay before a failed worker is replaced, milliseconds. */
const againMs = 1000;
/** Grace period of pods whose object is gone: short, but enough to close files. */
const removedGraceMs = 1000;

const graceOf = ({ spec }: Immutable<Pod>): number => (spec?.terminationGracePeriodSeconds ?? 30) * 1000;

const endingOf = (pod: Immutable<Pod>): Ending => ({
  graceMs: pod.metadata.deletionGracePeriodSeconds === undefined ? graceOf(pod) : pod.metadata.deletionGracePeriodSeconds * 1000,
  isFinal: true,
});
