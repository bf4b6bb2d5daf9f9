import type { AuditEnd, Clock, Logger } from '@tappaas/sdk';
import { AuditLog, type AuditLogParts, type LogSink } from './audit-log.js';
import type { CheckpointFiles } from './checkpoint-files.js';
import { formerEnd, type FormerEnd } from './former-end.js';

export interface FormerChainsParts extends Pick<AuditLogParts, 'everyEvents' | 'everyMs' | 'random'> {
  /** Returns the chains without a writing process of which a sink has lines. */
  readonly chains: () => Promise<readonly string[]>;
  /** In the order of the configuration. */
  readonly sinks: () => readonly LogSink[];
  readonly openCheckpoints: (chain: string) => Promise<CheckpointFiles>;
  readonly ownEventOf: (chain: string) => AuditLogParts['ownEvent'];
  /** The replica that maintains them. */
  readonly replica: string;
  readonly stopMsMax: () => number;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Processes of a previous platform instance may still be flushing to their sinks. */
const firstLookMs = 60_000;
const lookEveryMs = 3_600_000;

/**
 * Maintains chains whose processes are gone: signs the end of a chain whose process could not, and briefly continues a chain to remove
 * expired lines, so that the chain itself records the removal. Other chains are not written to, nor are those whose end no stop or crash
 * explains.
 */
export class FormerChains {
  readonly #parts: FormerChainsParts;
  readonly #stopping = new AbortController();
  /** Chains known to have ended in order. */
  readonly #ended = new Set<string>();
  /** Chains for which a warning was logged. */
  readonly #doubted = new Set<string>();
  #running: Promise<void> | undefined;

  constructor(parts: FormerChainsParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  /** Processes every chain once, one after the other. */
  async look(): Promise<void> {
    const { chains, log } = this.#parts;
    for (const chain of await chains()) {
      if (this.#stopping.signal.aborted) return;
      await this.#tend(chain).catch((error: unknown) =>
        log.warn('an audit chain of a process that is gone was not looked after', { chain, error }),
      );
    }
  }

  async #run(): Promise<void> {
    const { clock, log } = this.#parts;
    const { signal } = this.#stopping;
    await clock.sleep(firstLookMs, signal).catch(() => undefined);
    while (!signal.aborted) {
      await this.look().catch((error: unknown) => log.warn('audit chains of processes that are gone were not found', { error }));
      await clock.sleep(lookEveryMs, signal).catch(() => undefined);
    }
  }

  async #tend(chain: string): Promise<void> {
    const sinks = this.#parts.sinks();
    const keeper = sinks.find(({ end }) => end !== undefined);
    if (keeper === undefined) return;
    const hasExpired = (await keeper.hasExpired?.(chain)) === true;
    if (this.#ended.has(chain) && !hasExpired) return;
    const checkpoints = await this.#parts.openCheckpoints(chain);
    try {
      const found = (await keeper.end?.(chain)) ?? { tornBytes: 0 };
      const end = await formerEnd(chain, found, checkpoints, keeper.read);
      if (end.how === 'doubtful') this.#doubt(chain);
      else if (end.how === 'crashed' || hasExpired) await this.#endAnew(chain, sinks, checkpoints, found, end);
      else this.#ended.add(chain);
    } finally {
      await checkpoints.close();
    }
  }

  /** Warns about a chain. Signing its end would make it valid, whoever wrote it. */
  #doubt(chain: string): void {
    if (this.#doubted.has(chain)) return;
    this.#doubted.add(chain);
    this.#parts.log.warn(
      'an audit chain of a process that is gone does not end as a stop or a crash ends one: nothing of it is signed or removed; tappaas audit verify has the details',
      { chain },
    );
  }

  async #endAnew(
    chain: string,
    sinks: readonly LogSink[],
    checkpoints: CheckpointFiles,
    found: AuditEnd,
    { how, unvouched }: FormerEnd,
  ): Promise<void> {
    const { everyEvents, everyMs, clock, random, log, replica, ownEventOf, stopMsMax } = this.#parts;
    const removals: Promise<unknown>[] = [];
    const awaited = sinks.map((sink) => ({ ...sink, ...(sink.remove && { remove: followed(sink.remove, removals) }) }));
    const facts = { 'audit-process': 'gone', 'audit-kept-by': replica, ...(unvouched && { 'audit-unvouched-lines': unvouched }) };
    const ownEvent = ownEventOf(chain);
    const parts = {
      chain,
      sinks: awaited,
      checkpoints,
      everyEvents,
      everyMs,
      clock,
      random,
      log,
      ownEvent,
      facts,
      found,
      isWhole: how === 'in-order',
    };
    const auditLog = await AuditLog.open(parts);
    await auditLog.stop(stopMsMax());
    await Promise.allSettled(removals);
  }
}

type Remove = NonNullable<LogSink['remove']>;

function followed(remove: Remove, removals: Promise<unknown>[]): Remove {
  return (chain, before) => {
    const removal = remove(chain, before);
    removals.push(removal);
    return removal;
  };
}
