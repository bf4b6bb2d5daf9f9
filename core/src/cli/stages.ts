import { harmlessLine } from './harmless.js';
import type { Outlet } from './terminal.js';
import { duration } from './table.js';

/** Progress by stages: each line has the stage reached and its duration. On a terminal, the running stage is shown too. */
export interface Stages {
  /** Shows what is running or awaited, on terminals only: in a log each stage has one line, and a failure says what was awaited. */
  running(what: string): void;
  /** Ends a stage with a permanent line. Default of `tookMs`: the time since the previous stage. */
  reached(what: string, tookMs?: number): void;
  totalMs(): number;
}

/** Makes stages that write to `outlet`; `quiet` prints nothing, for programs. */
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
