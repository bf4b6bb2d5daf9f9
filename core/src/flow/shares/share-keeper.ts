import type { ShareGrant, ShareReport } from './protocol.js';

/** A share as whoever reports it sees it. */
export interface Share {
  readonly key: string;
  readonly isIdle: boolean;
  /** There will be nothing to report before it is used again. */
  readonly isQuiet: boolean;
  isForgotten: boolean;
  report(isInterval: boolean): ShareReport | undefined;
  granted(grant: ShareGrant, nowMs: number): void;
  /** What was reported has been answered: whatever was granted for it is here. */
  heard(): void;
}

/** What shares have of whoever keeps and reports them. */
export interface ShareKeeper {
  readonly processes: number;
  /** It is to be reported with the next interval. */
  changed(share: Share): void;
  /** It is to be reported at once. */
  ask(share: Share): void;
  /** Whoever has the whole does not answer. */
  isAlone(nowMs: number): boolean;
}
