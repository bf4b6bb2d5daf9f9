import { isSameLimit, type Limit, type ShareReport } from './protocol.js';

/** The share of a limit that one process has. */
interface Holder {
  /** Granted amount, less what the process reported as taken or returned. */
  held: number;
  wanted: number;
  /** The remaining allowance that was last reported to the process. */
  reported: number;
}

/** One limit of the platform: the undistributed amount, and the holders of the rest. */
export class Account {
  limit: Limit;
  readonly #holders = new Map<string, Holder>();
  #pool: number;
  #atMs: number;

  constructor(limit: Limit, nowMs: number, processes: Iterable<string>) {
    this.limit = limit;
    this.#pool = limit.max;
    this.#atMs = nowMs;
    for (const process of processes) this.join(process);
  }

  /** Adds a process. The seats it starts with are part of the limit; the units it starts with come on top. */
  join(process: string): void {
    this.#holders.set(process, { held: this.limit.start, wanted: 0, reported: this.limit.max });
    if (!this.#isRate) this.#pool -= this.limit.start;
  }

  /** Removes a process. Its seats become free; its units count as taken. */
  leave(process: string): void {
    if (!this.#isRate) this.#pool += this.#holders.get(process)?.held ?? 0;
    this.#holders.delete(process);
  }

  report(process: string, { limit, isNew, taken, given, wanted }: ShareReport, nowMs: number): void {
    if (limit.atMs > this.limit.atMs) this.#change(limit, nowMs);
    const holder = this.#holders.get(process);
    if (holder === undefined) return;
    if (isNew) {
      // What exceeds the start of a more recently read limit is void.
      const start = Math.min(limit.start, this.limit.start);
      this.#pool += this.#isRate ? 0 : holder.held - start;
      holder.held = start;
    }
    holder.held -= taken + given;
    holder.wanted = wanted;
    this.#pool += given;
    if (holder.held < 0) {
      // While it had no response, the process continued with its part of the units refilled here too; both are the same units, so there is
      // no debt.
      this.#pool = Math.max(Math.min(0, this.#pool), this.#pool + holder.held);
      holder.held = 0;
    }
    this.refill(nowMs);
  }

  refill(nowMs: number): void {
    const { max, perSecond, start } = this.limit;
    if (!this.#isRate || nowMs <= this.#atMs) return;
    let granted = 0;
    for (const { held } of this.#holders.values()) granted += Math.max(0, held - start);
    const back = ((nowMs - this.#atMs) * perSecond) / 1000;
    this.#pool = Math.max(this.#pool, Math.min(max - granted, this.#pool + back));
    this.#atMs = nowMs;
  }

  /**
   * Distributes what is wanted: all of it if there is enough, otherwise equally, with the rest in turns. With `only`, grants to one
   * process.
   */
  grants(only?: string): ReadonlyMap<string, number> {
    const granted = new Map<string, number>();
    let wanting = [...this.#holders].filter(([process, { wanted }]) => wanted > 0 && (only === undefined || process === only));
    const give = (process: string, holder: Holder, units: number): void => {
      granted.set(process, (granted.get(process) ?? 0) + units);
      holder.held += units;
      holder.wanted -= units;
      this.#pool -= units;
    };
    while (wanting.length > 0 && this.#pool >= wanting.length) {
      const each = Math.floor(this.#pool / wanting.length);
      for (const [process, holder] of wanting) give(process, holder, Math.min(holder.wanted, each));
      wanting = wanting.filter(([, { wanted }]) => wanted > 0);
    }
    for (const [process, holder] of wanting) {
      if (this.#pool < 1) break;
      give(process, holder, 1);
      // Moves the process behind the others for the next time.
      this.#holders.delete(process);
      this.#holders.set(process, holder);
    }
    return granted;
  }

  get isWanted(): boolean {
    for (const { wanted } of this.#holders.values()) if (wanted > 0) return true;
    return false;
  }

  /** Whether more than one process wants refilled units. */
  get isContended(): boolean {
    let wanting = 0;
    for (const { wanted } of this.#holders.values()) if (wanted > 0) wanting += 1;
    return this.#isRate && wanting > 1;
  }

  /** Units or seats that the principal may still take, in any process. */
  get left(): number {
    let apart = 0;
    for (const { held } of this.#holders.values()) apart += held - (this.#isRate ? this.limit.start : 0);
    return Math.max(0, Math.min(this.limit.max, Math.floor(this.#pool + (this.#isRate ? apart : 0))));
  }

  /** Returns the part of the refilled units that a process may expect. */
  partOf(process: string): number {
    let wanted = 0;
    for (const holder of this.#holders.values()) wanted += holder.wanted;
    return wanted === 0 ? 1 : (this.#holders.get(process)?.wanted ?? 0) / wanted;
  }

  /** Returns how many seats a process may keep while others wait for theirs; undefined when none wait. */
  fairFor(process: string): number | undefined {
    if (this.#isRate || !this.isWanted) return undefined;
    return (this.#holders.get(process)?.held ?? 0) > this.limit.start ? this.#fair() : undefined;
  }

  /** Equal parts, except that what a process does not want goes to the others. */
  #fair(): number {
    const demands = [...this.#holders.values()].map(({ held, wanted }) => held + wanted).toSorted((one, other) => one - other);
    let left = this.limit.max;
    for (const [index, demand] of demands.entries()) {
      const part = left / (demands.length - index);
      if (demand > part) return Math.floor(part);
      left -= demand;
    }
    return this.limit.max;
  }

  /** Whether the remaining allowance has changed enough that a process must be notified, because it reports it to its clients. */
  isNews(process: string): boolean {
    const holder = this.#holders.get(process);
    return holder !== undefined && Math.abs(this.left - holder.reported) > this.limit.max / 16;
  }

  reported(process: string): void {
    const holder = this.#holders.get(process);
    if (holder !== undefined) holder.reported = this.left;
  }

  get processes(): Iterable<string> {
    return this.#holders.keys();
  }

  /** Whether the state is the initial one, so that the account can be dropped. */
  get isIdle(): boolean {
    const { start, max } = this.limit;
    const held = this.#isRate ? 0 : this.#holders.size * start;
    if (this.#pool < max - held) return false;
    for (const holder of this.#holders.values()) if (holder.held !== start || holder.wanted > 0) return false;
    return true;
  }

  get #isRate(): boolean {
    return this.limit.perSecond > 0;
  }

  /** Changes the limit; what was taken stays taken. What processes hold beyond the new limit is void, even before they know it. */
  #change(limit: Limit, nowMs: number): void {
    this.refill(nowMs);
    const before = this.limit;
    const { max, start } = before;
    const wasRate = this.#isRate;
    this.limit = limit;
    if (isSameLimit(limit, before)) return;
    if (!wasRate || !this.#isRate) {
      this.#pool += limit.max - max;
      return;
    }
    this.#pool = Math.min(this.#pool, limit.max);
    let room = limit.max - this.#pool;
    for (const holder of this.#holders.values()) {
      const granted = Math.max(0, holder.held - start);
      const kept = Math.min(granted, room);
      holder.held = Math.min(holder.held - granted, limit.start) + kept;
      room -= kept;
    }
  }
}
