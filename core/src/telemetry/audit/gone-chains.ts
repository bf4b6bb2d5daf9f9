import type { AuditEnd, Clock, Logger } from '@tappaas/sdk';
import { AuditLog, type AuditLogParts, type LogSink } from './audit-log.js';
import type { CheckpointFiles } from './checkpoint-files.js';

export interface GoneChainsParts extends Pick<AuditLogParts, 'everyEvents' | 'everyMs' | 'random'> {
  /** Names of chains that no process writes any more, as far as a sink has their lines. */
  readonly chains: () => Promise<readonly string[]>;
  /** In the order of the configuration. */
  readonly sinks: () => readonly LogSink[];
  readonly openCheckpoints: (chain: string) => Promise<CheckpointFiles>;
  readonly ownEventOf: (chain: string) => AuditLogParts['ownEvent'];
  /** Who looks after them. */
  readonly replica: string;
  readonly stopMsMax: () => number;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Processes of a platform that was there before may still give their sinks what they have. */
const firstLookMs = 60_000;
const lookEveryMs = 3_600_000;

/**
 * Looks after chains whose processes are gone: signs how one has ended, where its process could not, and goes on with one for a moment when
 * lines of it are to be removed, so that the chain itself says so. Nothing is written to the others.
 */
export class GoneChains {
  readonly #parts: GoneChainsParts;
  readonly #stopping = new AbortController();
  /** Those known to have been ended in order. */
  readonly #ended = new Set<string>();
  #running: Promise<void> | undefined;

  constructor(parts: GoneChainsParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  /** Every chain once, one after the other. */
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
      const found = await keeper.end?.(chain);
      if (hasExpired || !hasEnded(found, checkpoints.last)) await this.#endAnew(chain, sinks, checkpoints, found);
      else this.#ended.add(chain);
    } finally {
      await checkpoints.close();
    }
  }

  async #endAnew(chain: string, sinks: readonly LogSink[], checkpoints: CheckpointFiles, found: AuditEnd | undefined): Promise<void> {
    const { everyEvents, everyMs, clock, random, log, replica, ownEventOf, stopMsMax } = this.#parts;
    const removals: Promise<unknown>[] = [];
    const awaited = sinks.map((sink) => ({ ...sink, ...(sink.remove && { remove: followed(sink.remove, removals) }) }));
    const facts = { 'audit-process': 'gone', 'audit-kept-by': replica };
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
      ...(found && { found }),
    };
    const auditLog = await AuditLog.open(parts);
    await auditLog.stop(stopMsMax());
    await Promise.allSettled(removals);
  }
}

/** Whether the last checkpoint is one of an orderly stop, and nothing was written after it, not even a piece of a line. */
function hasEnded(found: AuditEnd | undefined, last: CheckpointFiles['last']): boolean {
  return last?.final === true && last.sequence === found?.line?.sequence && found.tornBytes === 0;
}

type Remove = NonNullable<LogSink['remove']>;

function followed(remove: Remove, removals: Promise<unknown>[]): Remove {
  return (chain, before) => {
    const removal = remove(chain, before);
    removals.push(removal);
    return removal;
  };
}
