/** Places in the writer where a test may inject a failure. */
export const failpointNames = [
  'batch.begun',
  'batch.written',
  'batch.committed',
  'batch.answered',
  'checkpoint.begun',
  'checkpoint.done',
  'compaction.chunk',
  'restore.written',
  'restore.committed',
] as const;

/** One of {@link failpointNames}. */
export type FailpointName = (typeof failpointNames)[number];

const actions = ['none', 'kill', 'full', 'io', 'pause'] as const;

/** `kill`: SIGKILL; `full` and `io`: the errors of SQLite on a full or failing disk; `pause`: wait until the point is disarmed. */
export type FailpointAction = (typeof actions)[number];

/**
 * Named failpoints, shared with the writer's thread through memory. They exist only in tests.
 *
 * Each point has three cells: its action, how often it is passed before the action happens, and how often it was reached.
 */
export class Failpoints {
  readonly buffer: SharedArrayBuffer;
  readonly #cells: Int32Array<SharedArrayBuffer>;

  constructor(buffer = new SharedArrayBuffer(failpointNames.length * 3 * Int32Array.BYTES_PER_ELEMENT)) {
    this.buffer = buffer;
    this.#cells = new Int32Array(buffer);
  }

  /** Arms a point: after `skip` passes the action happens on every pass, until the point is armed with `none`. */
  arm(name: FailpointName, action: FailpointAction, skip = 0): void {
    const cell = cellOf(name);
    Atomics.store(this.#cells, cell + 1, skip);
    Atomics.store(this.#cells, cell, actions.indexOf(action));
    Atomics.notify(this.#cells, cell);
  }

  /** Number of times that the writer reached the point. */
  reached(name: FailpointName): number {
    return Atomics.load(this.#cells, cellOf(name) + 2);
  }

  /** Called by the writer's thread. @throws the error of SQLite on a full or failing disk */
  pass(name: FailpointName): void {
    const cell = cellOf(name);
    Atomics.add(this.#cells, cell + 2, 1);
    const action = actions[Atomics.load(this.#cells, cell)] ?? 'none';
    if (action === 'none' || Atomics.sub(this.#cells, cell + 1, 1) > 0) return;
    Atomics.store(this.#cells, cell + 1, 0);
    if (action === 'kill') process.kill(process.pid, 'SIGKILL');
    if (action === 'pause' || action === 'kill') Atomics.wait(this.#cells, cell, actions.indexOf(action));
    if (action === 'full') throw Object.assign(new Error('database or disk is full'), { errcode: 13 });
    if (action === 'io') throw Object.assign(new Error('disk I/O error'), { errcode: 1_034 });
  }
}

function cellOf(name: FailpointName): number {
  return failpointNames.indexOf(name) * 3;
}
