import type { Outlet } from './terminal.js';
import { duration } from './table.js';

/** Progress by stages: each line says what was reached and how long it took; on a terminal the running stage is shown too. */
export interface Stages {
  /** A stage is under way; shown only on a terminal. */
  running(what: string): void;
  /** What the stage under way waits for; off a terminal a line of its own, once for each text. */
  waiting(what: string): void;
  /** A stage has ended: a line that stays. Default of `tookMs`: since the stage before. */
  reached(what: string, tookMs?: number): void;
  totalMs(): number;
}

/** Lines about waiting that a log gets at the most: whoever reads it wants the reason, not each second. */
const waitingLinesMax = 50;

/** Writes stages to `outlet`; `quiet` prints nothing, for programs. */
export function createStages(outlet: Outlet, nowMs: () => number, quiet: boolean): Stages {
  const startMs = nowMs();
  let stageMs = startMs;
  let shown = 0;
  const erase = () => (shown > 0 ? `\r${' '.repeat(shown)}\r` : '');
  const waited = new Set<string>();
  const running = (what: string): void => {
    if (quiet || !outlet.isTTY) return;
    const line = `  … ${what}`.slice(0, (outlet.columns ?? 80) - 1);
    outlet.write(erase() + line);
    shown = line.length;
  };
  return {
    running,
    waiting(what) {
      if (outlet.isTTY) return running(what);
      if (quiet || waited.size >= waitingLinesMax || waited.has(what)) return;
      waited.add(what);
      outlet.write(`  … ${what}\n`);
    },
    reached(what, tookMs) {
      const now = nowMs();
      if (!quiet) outlet.write(`${erase()}  ✓ ${what} (${duration(tookMs ?? now - stageMs)})\n`);
      shown = 0;
      stageMs = now;
    },
    totalMs: () => nowMs() - startMs,
  };
}
