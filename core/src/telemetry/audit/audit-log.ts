import { isDeepStrictEqual } from 'node:util';
import type { AuditEnd, AuditLine, AuditLines, AuditWritten, Awaitable } from '@tappaas/sdk';
import { catchUp, type Further } from './catch-up.js';
import { genesis, parseLine, type ChainEnd } from './chain.js';
import type { CheckpointFiles } from './checkpoint-files.js';
import { Checkpointing, type CheckpointingParts } from './checkpointing.js';
import { EventBatch } from './event-batch.js';
import type { EventRow } from './event-text.js';
import { RecordedRemoval } from './recorded-removal.js';
import type { SealedBlock } from './seal.js';
import { linesOf, SealedLine } from './sealed-line.js';
import { Sealer } from './sealer.js';
import { SinkQueue, type SinkSettings } from './sink-queue.js';

/** A sink as the log uses it. */
export interface LogSink {
  readonly name: string;
  readonly settings: SinkSettings;
  readonly write: (lines: AuditLines) => Promise<AuditWritten>;
  /** Absent when the sink cannot tell. */
  readonly end?: (chain: string) => Promise<AuditEnd>;
  /** Lines before a number, newest first; absent when the sink cannot be read back. */
  readonly read?: (chain: string, before: number, max: number) => Promise<readonly AuditLine[]>;
  /** Whether lines of a chain that nobody writes on are too old or too many; absent when the sink cannot tell. */
  readonly hasExpired?: (chain: string) => Promise<boolean>;
  /** Absent when the sink removes nothing. */
  readonly remove?: (chain: string, before: number) => Promise<void>;
}

/** The chain is named after the replica. */
export interface AuditLogParts extends CheckpointingParts {
  /** In the order of the configuration; the first that can tell its end leads: the chain goes on from there. */
  readonly sinks: readonly LogSink[];
  readonly random: () => number;
  /** JSON of an event of the platform's own about the log. */
  readonly ownEvent: (verb: string, facts: Readonly<Record<string, string>>) => string;
  /** Told with its start beside how the chain was found. */
  readonly facts?: Readonly<Record<string, string>>;
  /** What the leading sink has answered when it was asked for the end: what was torn it tells once. Default: it is asked. */
  readonly found?: AuditEnd;
  /** The chain has ended in order: what another sink has beyond its end is none of it. */
  readonly isWhole?: boolean;
}

/** Room for the lines of one request, in every sink. */
export interface Reservation {
  readonly queues: readonly SinkQueue[];
  left: number;
}

/** Lines that a request may need: received, begun, ended. */
const linesPerRequest = 3;

/**
 * The audit log of one replica: gives every event its place in the chain and every sink its lines, and signs how far they are kept. Events
 * are gathered, and made into lines together when a sink is to be given some.
 */
export class AuditLog {
  readonly #parts: AuditLogParts;
  #leader: string | undefined;
  readonly #sealer: Sealer;
  /** The last line that was made. */
  #end: ChainEnd;
  /** Number of the last event. */
  #appended: number;
  #gathered = new EventBatch();
  #sealing: Promise<void> | undefined;
  #queues: readonly SinkQueue[];
  readonly #checkpointing: Checkpointing;
  #stopped: Promise<void> | undefined;

  private constructor(parts: AuditLogParts, end: ChainEnd) {
    this.#parts = parts;
    this.#sealer = new Sealer(parts.chain, parts.log);
    this.#end = end;
    this.#appended = end.sequence;
    this.#checkpointing = new Checkpointing(parts, end, () => this.#appended);
    this.#leader = leaderOf(parts.sinks)?.name;
    this.#queues = parts.sinks.map((sink) => this.#queueOf(sink));
  }

  /** Goes on where the chain has ended, and records how it had ended when that was not in order. */
  static async open(parts: AuditLogParts): Promise<AuditLog> {
    const leader = leaderOf(parts.sinks);
    const found = parts.found ?? (await leader?.end?.(parts.chain));
    const { last } = parts.checkpoints;
    const own = found?.line === undefined ? undefined : endOf(found.line);
    const further = leader && parts.isWhole !== true ? await catchUp(parts, leader, own) : undefined;
    const kept = further?.copied ?? own;
    const end = furthest(furthest(kept, further?.end), last);
    const log = new AuditLog(parts, end);
    log.recordOwn('start', { ...startFacts(found, last), ...(found && lackedFacts(own, kept, end, further)), ...parts.facts });
    void log.#checkpointing.run();
    return log;
  }

  get queues(): readonly SinkQueue[] {
    return this.#queues;
  }

  /** Keeps room for a request at once, or answers what to wait for. */
  reserve(): Reservation | Promise<Reservation> {
    if (this.#gathered.isOverfull && this.#sealing !== undefined) return this.#sealing.then(() => this.reserve());
    const reservation = { queues: this.#queues, left: linesPerRequest };
    const full = this.#queues.findIndex((queue) => !queue.reserve(linesPerRequest));
    if (full < 0) return reservation;
    return this.#waitForRoom(reservation, full);
  }

  /** Answers the number of its line. Without room that was kept for it, it is taken all the same. */
  append(event: EventRow | string, reservation?: Reservation): number {
    this.#gathered.add(event);
    this.#appended += 1;
    const isPlaced = reservation !== undefined && reservation.left > 0 && reservation.queues === this.#queues;
    if (isPlaced) reservation.left -= 1;
    else if (reservation !== undefined) this.release(reservation);
    for (const queue of this.#queues) {
      if (!isPlaced) queue.occupy();
      queue.expect();
    }
    // Also when every sink is busy: one that may be left out must not keep events waiting.
    if (this.#gathered.isFull) void this.#seal();
    return this.#appended;
  }

  /** The request needs no more lines, or may need the next one only in hours. */
  release(reservation: Reservation): void {
    const { left, queues } = reservation;
    if (left === 0) return;
    reservation.left = 0;
    for (const queue of queues) queue.release(left);
  }

  /** Resolves when every blocking sink has kept the line. @throws TAP_AUDIT_UNAVAILABLE */
  whenKept(sequence: number): Promise<unknown> | undefined {
    const blocking = this.#queues.filter(({ settings }) => settings.mode === 'blocking');
    return blocking.length === 0 ? undefined : Promise.all(blocking.map((queue) => queue.whenKept(sequence)));
  }

  /** @throws TAP_AUDIT_UNAVAILABLE while a blocking sink is failing */
  refuseWhileFailing(): void {
    for (const queue of this.#queues) queue.refuseWhileFailing();
  }

  /** Takes over other sinks after a reload; those that have gone are given their last lines. */
  async follow(sinks: readonly LogSink[], msMax: number): Promise<void> {
    const isSame = (queue: SinkQueue, sink: LogSink) => queue.name === sink.name && isDeepStrictEqual(queue.settings, sink.settings);
    while (this.#unmade() > 0) await this.#seal();
    const gone = this.#queues.filter((queue) => !sinks.some((sink) => isSame(queue, sink)));
    this.#leader = leaderOf(sinks)?.name;
    this.#queues = sinks.map((sink) => this.#queues.find((queue) => isSame(queue, sink)) ?? this.#queueOf(sink));
    await this.#stopQueues(gone, msMax);
  }

  /** Records something about the log itself. */
  recordOwn(verb: string, facts: Readonly<Record<string, string>>): number {
    return this.append(this.#parts.ownEvent(verb, facts));
  }

  /** Gives every sink its last lines and signs where the chain ends. May be called twice. */
  stop(msMax: number): Promise<void> {
    this.#stopped ??= this.#stop(msMax);
    return this.#stopped;
  }

  async #stop(msMax: number): Promise<void> {
    this.recordOwn('stop', {});
    while (this.#unmade() > 0) await this.#seal();
    await this.#stopQueues(this.#queues, msMax);
    await this.#sealer.close();
    await this.#checkpointing.stop();
  }

  #unmade(): number {
    return this.#appended - this.#end.sequence;
  }

  /** Makes lines out of what was gathered, and gives them to the queues; one batch at a time. */
  #seal(): Awaitable<void> {
    if (this.#sealing !== undefined || this.#gathered.size === 0) return this.#sealing;
    const batch = this.#gathered;
    this.#gathered = new EventBatch();
    const block = this.#sealer.seal(this.#end, batch);
    if (!(block instanceof Promise)) return this.#push(block);
    this.#sealing = this.#pushSoon(block);
    return this.#sealing;
  }

  async #pushSoon(block: Promise<SealedBlock>): Promise<void> {
    try {
      this.#push(await block);
    } finally {
      this.#sealing = undefined;
    }
  }

  #push(block: SealedBlock): void {
    const lines = linesOf(this.#parts.chain, this.#end, block);
    this.#end = { sequence: this.#end.sequence + lines.length, hash: block.hash };
    for (const queue of this.#queues) {
      for (const line of lines) queue.push(line);
      queue.release(lines.length);
    }
  }

  async #stopQueues(queues: readonly SinkQueue[], msMax: number): Promise<void> {
    const left = await Promise.all(queues.map(async (queue) => ({ sink: queue.name, lines: await queue.stop(msMax) })));
    for (const each of left.filter(({ lines }) => lines > 0)) this.#parts.log.error('an audit sink was not given its last lines', each);
  }

  async #waitForRoom(reservation: Reservation, first: number): Promise<Reservation> {
    let taken = first;
    try {
      for (const queue of reservation.queues.slice(first)) {
        await queue.waitForRoom(linesPerRequest);
        taken += 1;
      }
      return reservation;
    } catch (error) {
      for (const queue of reservation.queues.slice(0, taken)) queue.release(linesPerRequest);
      throw error;
    }
  }

  #queueOf(sink: LogSink): SinkQueue {
    const { name, settings, write } = sink;
    const { clock, random, log } = this.#parts;
    const removal = new RecordedRemoval(sink, this.#parts);
    return new SinkQueue({
      name,
      settings,
      write,
      unmade: () => this.#unmade(),
      make: () => this.#seal(),
      clock,
      random,
      log,
      onWritten: (last, { removesBefore }) => {
        if (this.#leader === name) this.#checkpointing.keptTo(endOf(last));
        removal.kept(last.sequence);
        if (removesBefore !== undefined) removal.ask(removesBefore, (facts) => this.recordOwn('remove', facts));
      },
      onDropped: ({ count, from, to }) =>
        this.recordOwn('drop', { 'audit-sink': name, 'audit-dropped': String(count), 'audit-dropped-lines': `${from}-${to}` }),
    });
  }
}

/** The first that can tell its end, else the first: what it has kept is what checkpoints speak of. */
function leaderOf(sinks: readonly LogSink[]): LogSink | undefined {
  return sinks.find(({ end }) => end !== undefined) ?? sinks[0];
}

/** A log that was cut shorter than its checkpoint leaves a gap, so that whoever verifies finds it. */
function furthest(kept: ChainEnd = genesis, last: ChainEnd = genesis): ChainEnd {
  return last.sequence > kept.sequence ? last : kept;
}

/** A line that is no line of a chain ends nothing; one that was changed still does, and is found by whoever verifies. */
function endOf(line: AuditLine): ChainEnd | undefined {
  return line instanceof SealedLine ? { sequence: line.sequence, hash: line.hash } : endIn(line.text);
}

function endIn(text: string): ChainEnd | undefined {
  const line = parseLine(text);
  return line && { sequence: line.sequence, hash: line.hash };
}

type LastCheckpoint = CheckpointFiles['last'];

/** What the first line after a start says about how the log was found. */
function startFacts(found: AuditEnd | undefined, last: LastCheckpoint): Readonly<Record<string, string>> {
  return {
    ...(last !== undefined && !last.final && { 'audit-stop': 'unclean' }),
    ...(found !== undefined && found.tornBytes > 0 && { 'audit-torn-bytes': String(found.tornBytes) }),
    ...(last !== undefined && last.appended > last.sequence && { 'audit-lost-at-stop': String(last.appended - last.sequence) }),
  };
}

/** Which lines the leading sink lacked, and which it still does. */
function lackedFacts(
  own: ChainEnd = genesis,
  kept: ChainEnd = genesis,
  end: ChainEnd = genesis,
  further?: Further,
): Readonly<Record<string, string>> {
  return {
    ...(kept.sequence > own.sequence && {
      'audit-copied-lines': `${own.sequence + 1}-${kept.sequence}`,
      'audit-copied-from': further?.from ?? '',
    }),
    ...(kept.sequence < end.sequence && { 'audit-missing-lines': `${kept.sequence + 1}-${end.sequence}` }),
  };
}
