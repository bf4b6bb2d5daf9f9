/** The process that sends at a pace; started by fork, told what by the first message. */
import { setPriority } from 'node:os';
import { Lane } from './lane.ts';
import { openSocket, type Place } from './load.ts';
import type { PaceResult, Pace, PaceOptions } from './paced.ts';

/** Who waits for its turn on a processor measures that; only where the system allows it. */
function raisePriority(): void {
  try {
    setPriority(-10);
  } catch {
    // As everybody else, then.
  }
}

/** One pace on its way. Nothing is made for a request: the client's garbage would be what is measured. */
class Pacing {
  readonly #pace: Pace;
  readonly #count: number;
  readonly #startMs: number;
  /** Nothing of before is counted. */
  readonly #countedFromMs: number;
  readonly #took: Float64Array;
  readonly #late: Float64Array;
  readonly #crowded: Float64Array;
  /** In turns: a connection that rests for long is closed by the server, and what is sent on it then is answered by nobody. */
  readonly #free: Lane[] = [];
  readonly #done = Promise.withResolvers<void>();
  #sent = 0;
  #answered = 0;
  #counted = 0;
  /** Since when requests wait for a free connection. */
  #fullSinceMs = Infinity;

  constructor(pace: Pace, { ms, warmMs }: PaceOptions, startMs: number) {
    this.#pace = pace;
    this.#count = Math.max(2, Math.round((pace.perSecond * (ms + warmMs)) / 1000));
    this.#startMs = startMs;
    this.#countedFromMs = startMs + warmMs;
    [this.#took, this.#late, this.#crowded] = [new Float64Array(this.#count), new Float64Array(this.#count), new Float64Array(this.#count)];
  }

  async open(place: Place): Promise<void> {
    const lanes = Array.from(
      { length: this.#pace.connections },
      async () => new Lane(await openSocket(place), (lane) => this.#received(lane)),
    );
    this.#free.push(...(await Promise.all(lanes)));
  }

  /** Sends what is due. */
  send(): void {
    const { perSecond, requests } = this.#pace;
    for (let nowMs = performance.now(); this.#sent < this.#count; nowMs = performance.now()) {
      const dueMs = this.#startMs + (this.#sent * 1000) / perSecond;
      if (dueMs > nowMs) {
        this.#fullSinceMs = Infinity;
        return;
      }
      const lane = this.#free.shift();
      const request = requests[this.#sent % requests.length];
      if (lane === undefined || request === undefined) {
        this.#fullSinceMs = Math.min(this.#fullSinceMs, nowMs);
        return;
      }
      this.#note(dueMs, nowMs);
      this.#sent += 1;
      lane.send(request, dueMs);
    }
  }

  /** Late is what was due while no connection was free because of that, and else because of the client. */
  #note(dueMs: number, nowMs: number): void {
    if (dueMs < this.#countedFromMs) return;
    const crowdedMs = Math.max(0, nowMs - Math.max(dueMs, this.#fullSinceMs));
    this.#crowded[this.#sent] = crowdedMs;
    this.#late[this.#sent] = nowMs - dueMs - crowdedMs;
  }

  #received(lane: Lane): void {
    if (lane.status !== 200) this.#done.reject(new Error(`answered ${lane.status} instead of 200`));
    if (lane.dueMs >= this.#countedFromMs) {
      this.#took[this.#counted] = performance.now() - lane.dueMs;
      this.#counted += 1;
    }
    this.#answered += 1;
    this.#free.push(lane);
    if (this.#answered === this.#count) this.#done.resolve();
    else if (this.#fullSinceMs !== Infinity) this.send();
  }

  async results(): Promise<PaceResult> {
    await this.#done.promise;
    const tookMs = performance.now() - this.#countedFromMs;
    const took = this.#took.subarray(0, this.#counted).toSorted();
    const first = this.#count - this.#counted;
    return {
      p50Ms: at(took, 0.5),
      p99Ms: at(took, 0.99),
      maxMs: at(took, 1),
      clientP99Ms: at(this.#late.subarray(first).toSorted(), 0.99),
      crowdedP99Ms: at(this.#crowded.subarray(first).toSorted(), 0.99),
      perSecond: (this.#counted * 1000) / tookMs,
    };
  }
}

const at = (sorted: Float64Array, part: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;

async function run(options: PaceOptions): Promise<readonly PaceResult[]> {
  raisePriority();
  const startMs = performance.now() + 500;
  const pacings = options.paces.map((pace) => new Pacing(pace, options, startMs));
  for (const pacing of pacings) await pacing.open(options.place);
  // A turn each millisecond leaves the processors to the server; what waits for it counts as late.
  const turns = setInterval(() => {
    for (const pacing of pacings) pacing.send();
  }, 1);
  const results = await Promise.all(pacings.map((pacing) => pacing.results()));
  clearInterval(turns);
  return results;
}

process.once('message', (options: PaceOptions) => void run(options).then((results) => process.send?.(results)));
