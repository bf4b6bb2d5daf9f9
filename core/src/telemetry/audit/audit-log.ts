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

/** A sink with its settings. */
export interface LogSink {
  readonly name: string;
  readonly settings: SinkSettings;
  readonly write: (lines: AuditLines) => Promise<AuditWritten>;
  /** Reads the end of a chain; absent when the sink cannot tell. */
  readonly end?: (chain: string) => Promise<AuditEnd>;
  /** Reads lines before a number, newest first; absent when the sink cannot be read. */
  readonly read?: (chain: string, before: number, max: number) => Promise<readonly AuditLine[]>;
  /** Whether lines of a chain without a writer are too old or too many; absent when the sink cannot tell. */
  readonly hasExpired?: (chain: string) => Promise<boolean>;
  /** Removes lines before a number; absent when the sink removes nothing. */
  readonly remove?: (chain: string, before: number) => Promise<void>;
}

/** The parts of an audit log; its chain is named after the replica. */
export interface AuditLogParts extends CheckpointingParts {
  /** In the order of the configuration. The first that can report its end leads: the chain continues from there. */
  readonly sinks: readonly LogSink[];
  readonly random: () => number;
  /** Returns the JSON of an event that the platform records about the log itself. */
  readonly ownEvent: (verb: string, facts: Readonly<Record<string, string>>) => string;
  /** Recorded when the log starts, along with the state in which the chain was found. */
  readonly facts?: Readonly<Record<string, string>>;
  /** The end reported by the leading sink, which reports torn bytes only once. Default: the sink is asked. */
  readonly found?: AuditEnd;
  /** The chain ended in order, so lines beyond its end in another sink are not part of it. */
  readonly isWhole?: boolean;
}

/** Reserved room for the lines of one request, in every sink. */
export interface Reservation {
  readonly queues: readonly SinkQueue[];
  left: number;
}

/** Maximum lines of one request: received, started, ended. */
const linesPerRequest = 3;

/**
 * The audit log of one replica: puts every event into the chain, passes the lines to every sink, and signs checkpoints of how far they are
 * kept. Events are collected, and made into lines in batches when a sink is ready for some.
 */
export class AuditLog {
  readonly #parts: AuditLogParts;
  #leader: string | undefined;
  readonly #sealer: Sealer;
  /** The end of the chain at the last line made. */
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

  /** Continues the chain from its end, and records how it had ended if that was not in order. */
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

  /** Reserves room for a request; returns a promise if it must wait for room. */
  reserve(): Reservation | Promise<Reservation> {
    if (this.#gathered.isOverfull && this.#sealing !== undefined) return this.#sealing.then(() => this.reserve());
    const reservation = { queues: this.#queues, left: linesPerRequest };
    const full = this.#queues.findIndex((queue) => !queue.reserve(linesPerRequest));
    if (full < 0) return reservation;
    return this.#waitForRoom(reservation, full);
  }

  /** Appends an event and returns the number of its line. Without a reservation it is accepted anyway. */
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
    // Also when every sink is busy, because a sink that may drop lines must not hold up events.
    if (this.#gathered.isFull) void this.#seal();
    return this.#appended;
  }

  /** Releases a reservation: the request needs no more lines, or may need the next one only in hours. */
  release(reservation: Reservation): void {
    const { left, queues } = reservation;
    if (left === 0) return;
    reservation.left = 0;
    for (const queue of queues) queue.release(left);
  }

  /** Resolves when every blocking sink has kept the line. @throws TAP_AUDIT_UNAVAILABLE */
  whenStored(sequence: number): Promise<unknown> | undefined {
    const blocking = this.#queues.filter(({ settings }) => settings.mode === 'blocking');
    return blocking.length === 0 ? undefined : Promise.all(blocking.map((queue) => queue.whenStored(sequence)));
  }

  /** @throws TAP_AUDIT_UNAVAILABLE while a blocking sink is failing */
  refuseWhileFailing(): void {
    for (const queue of this.#queues) queue.refuseWhileFailing();
  }

  /** Switches to other sinks after a reload; removed sinks receive their last lines. */
  async follow(sinks: readonly LogSink[], msMax: number): Promise<void> {
    const isSame = (queue: SinkQueue, sink: LogSink) => queue.name === sink.name && isDeepStrictEqual(queue.settings, sink.settings);
    while (this.#unmade() > 0) await this.#seal();
    const gone = this.#queues.filter((queue) => !sinks.some((sink) => isSame(queue, sink)));
    this.#leader = leaderOf(sinks)?.name;
    this.#queues = sinks.map((sink) => this.#queues.find((queue) => isSame(queue, sink)) ?? this.#queueOf(sink));
    await this.#stopQueues(gone, msMax);
  }

  /** Records an event about the log itself. */
  recordOwn(verb: string, facts: Readonly<Record<string, string>>): number {
    return this.append(this.#parts.ownEvent(verb, facts));
  }

  /** Passes every sink its last lines and signs the end of the chain. Idempotent. */
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

  /** Makes lines from the collected events and passes them to the queues, one batch at a time. */
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
        if (this.#leader === name) this.#checkpointing.storedTo(endOf(last));
        removal.stored(last.sequence);
        if (removesBefore !== undefined) removal.ask(removesBefore, (facts) => this.recordOwn('remove', facts));
      },
      onDropped: ({ count, from, to }) =>
        this.recordOwn('drop', { 'audit-sink': name, 'audit-dropped': String(count), 'audit-dropped-lines': `${from}-${to}` }),
    });
  }
}

/** Returns the first sink that can report its end, else the first; checkpoints state what it has kept. */
function leaderOf(sinks: readonly LogSink[]): LogSink | undefined {
  return sinks.find(({ end }) => end !== undefined) ?? sinks[0];
}

/** If the log is shorter than its checkpoint, continues after the checkpoint, so that verification finds the gap. */
function furthest(kept: ChainEnd = genesis, last: ChainEnd = genesis): ChainEnd {
  return last.sequence > kept.sequence ? last : kept;
}

/** Returns the end that a line represents; undefined if it is malformed. A tampered line still counts, and verification finds it. */
function endOf(line: AuditLine): ChainEnd | undefined {
  return line instanceof SealedLine ? { sequence: line.sequence, hash: line.hash } : endIn(line.text);
}

function endIn(text: string): ChainEnd | undefined {
  const line = parseLine(text);
  return line && { sequence: line.sequence, hash: line.hash };
}

type LastCheckpoint = CheckpointFiles['last'];

/** Facts for the first line after a start: the state in which the log was found. */
function startFacts(found: AuditEnd | undefined, last: LastCheckpoint): Readonly<Record<string, string>> {
  return {
    ...(last !== undefined && !last.final && { 'audit-stop': 'unclean' }),
    ...(found !== undefined && found.tornBytes > 0 && { 'audit-torn-bytes': String(found.tornBytes) }),
    ...(last !== undefined && last.appended > last.sequence && { 'audit-lost-at-stop': String(last.appended - last.sequence) }),
  };
}

/** Facts about lines that the leading sink lacked, and those that it still lacks. */
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
