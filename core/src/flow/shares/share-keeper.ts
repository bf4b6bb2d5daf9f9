import type { ShareGrant, ShareReport } from './protocol.js';

/** A share as used by its keeper, which reports it. */
export interface Share {
  readonly key: string;
  readonly isIdle: boolean;
  /** Whether there is nothing to report until the share is used again. */
  readonly isQuiet: boolean;
  isForgotten: boolean;
  report(isInterval: boolean): ShareReport | undefined;
  granted(grant: ShareGrant, nowMs: number): void;
  /** Called when the last report was answered: everything granted for it has arrived. */
  acknowledged(): void;
}

/** What a share may call on its keeper. */
export interface ShareKeeper {
  readonly processes: number;
  /** Schedules a report of the share with the next interval. */
  changed(share: Share): void;
  /** Reports the share at once. */
  ask(share: Share): void;
  /** Whether the process that keeps the whole does not respond. */
  isAlone(nowMs: number): boolean;
}
