/** What starting the command costs, in processor time beyond starting Node itself. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../platform-process.ts';
import type { BenchmarkRow } from './row.ts';

const ticksPerSecond = 100;

/** Processor time of all children that have ended, from /proc; in ticks, so many runs are needed for a fine figure. */
function childrenMs(): number {
  const fields = readFileSync('/proc/self/stat', 'utf8').split(') ')[1]?.split(' ') ?? [];
  return ((Number(fields[13]) + Number(fields[14])) * 1000) / ticksPerSecond;
}

function cpuMs(words: readonly string[], runs: number): number {
  const before = childrenMs();
  for (let i = 0; i < runs; i += 1)
    spawnSync(process.execPath, words, { stdio: 'ignore', env: { ...process.env, TAPPAAS_HOME: '/nonexistent' } });
  return (childrenMs() - before) / runs;
}

export async function run({ smoke }: { readonly smoke: boolean }): Promise<readonly BenchmarkRow[]> {
  const runs = smoke ? 5 : 40;
  const command = join(root, 'core/dist/main.js');
  const node = cpuMs(['-e', '0'], runs);
  const row = (name: string, words: readonly string[]): BenchmarkRow => {
    const ms = cpuMs([command, ...words], runs);
    return {
      name,
      value: ms - node,
      unit: 'ms CPU above node -e 0',
      peer: `node -e 0: ${node.toFixed(1)} ms`,
      ratio: ms / node,
      target: '≤ 60 ms',
    };
  };
  return [row('tappaas help', ['help']), row('tappaas apps, not logged in', ['apps'])];
}
