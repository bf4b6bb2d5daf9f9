import { harmlessLine } from './harmless.js';
import type { Outlet } from './terminal.js';
import { duration } from './table.js';

/** Progress by stages: each line says what was reached and how long it took; on a terminal the running stage is shown too. */
export interface Stages {
  /** What is under way, or what it waits for; shown only on a terminal: in a log each stage has one line, and a failure says what was waited for. */
  running(what: string): void;
  /** A stage has ended: a line that stays. Default of `tookMs`: since the stage before. */
  reached(what: string, tookMs?: number): void;
  totalMs(): number;
}

/** Writes stages to `outlet`; `quiet` prints nothing, for programs. */
export function createStages(outlet: Outlet, nowMs: () => number, quiet: boolean): Stages {
  const startMs = nowMs();
  let stageMs = startMs;
  let shown = 0;
  const erase = () => (shown > 0 ? `\r${' '.repeat(shown)}\r` : '');
  return {
    running(what) {
      if (quiet || !outlet.isTTY) return;
      const line = `  … ${harmlessLine(what)}`.slice(0, (outlet.columns ?? 80) - 1);
      outlet.write(erase() + line);
      shown = line.length;
    },
    reached(what, tookMs) {
      const now = nowMs();
      if (!quiet) outlet.write(`${erase()}  ✓ ${harmlessLine(what)} (${duration(tookMs ?? now - stageMs)})\n`);
      shown = 0;
      stageMs = now;
    },
    totalMs: () => nowMs() - startMs,
  };
}
