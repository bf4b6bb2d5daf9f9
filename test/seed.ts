/** The seed of everything that tests draw: by themselves, and with fast-check, which `before-file.ts` configures with it. */
import type { ExecutionContext } from 'ava';

/**
 * The usual run and CI draw the same numbers every time, so that a failure stands for what has changed. The long run
 * (`npm run test:long`) draws new ones, and `TAPPAAS_SEED` repeats a run.
 */
export const seed = Number(process.env['TAPPAAS_SEED'] ?? (process.env['TAPPAAS_LONG'] === '1' ? Math.floor(Math.random() * 2 ** 31) : 1));

/** The seed of this run, written to the log of the test: with it a failure can be repeated. */
export function seedOf(t: Pick<ExecutionContext, 'log'>): number {
  t.log(`TAPPAAS_SEED=${seed}`);
  return seed;
}
