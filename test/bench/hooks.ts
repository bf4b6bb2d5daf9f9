import { definePlugin, hooks, type AdmissionRequest, type Plugin } from '@tappaas/sdk';
import { Application } from '@tappaas/sdk/kinds';
import type { Kernel } from '../../core/dist/kernel/kernel.js';
import { startedKernel } from './kernel.ts';
import type { BenchmarkRow } from './row.ts';

const selector = { kind: Application, operation: 'create' } as const;
const request = Object.freeze({
  operation: 'create',
  caller: { name: 'bench', groups: [] },
  dryRun: true,
  object: Object.freeze({ apiVersion: 'apps.tappaas.dev/v1alpha1', kind: 'Application', metadata: { name: 'bench' }, spec: {} }),
}) as unknown as AdmissionRequest<typeof Application>;
const line = Object.freeze({ level: 'info' as const, atMs: 0, message: 'bench', fields: {} });

type Gate = (request: unknown) => undefined | Promise<undefined>;

const pluginOf = (id: string, gate: Gate, received: () => void): Plugin =>
  definePlugin({
    id,
    setup(host) {
      host.tap(hooks.admission.validate, { kinds: [Application] }, gate);
      host.tap(hooks.telemetry.log, {}, received);
    },
  });

function kernelOf(taps: number, gate: Gate, received: () => void): Promise<Kernel> {
  const plugins = Array.from({ length: taps }, (_, n) => ({ id: `bench-${n}`, plugin: pluginOf(`bench-${n}`, gate, received) }));
  return startedKernel(plugins);
}

/** The best of several rounds: what the machine's other work adds is not the guard's. */
async function bestMicros(rounds: number, calls: number, run: (calls: number) => Promise<void> | void): Promise<number> {
  let best = Infinity;
  for (let round = 0; round < rounds; round += 1) {
    const startMs = performance.now();
    await run(calls);
    best = Math.min(best, ((performance.now() - startMs) * 1000) / calls);
  }
  return best;
}

const rounded = (value: number): number => Math.round(value * 1000) / 1000;

/** What the guard adds to one call of a tap, beside the same functions called bare. */
export async function run({ smoke }: { smoke: boolean }): Promise<BenchmarkRow[]> {
  const rounds = smoke ? 2 : 7;
  const calls = smoke ? 2000 : 50_000;
  const taps = 10;
  let received = 0;
  const count = (): void => {
    received += 1;
  };
  const later: Gate = () => Promise.resolve(undefined);
  const now: Gate = () => undefined;
  const rows: BenchmarkRow[] = [];
  for (const [name, gate, target] of [
    ['answers later', later, '≤ 3'],
    ['answers at once', now, '≤ 3'],
  ] as const) {
    const kernel = await kernelOf(taps, gate, count);
    const guarded = await bestMicros(rounds, calls / taps, async (n) => {
      for (let i = 0; i < n; i += 1) await kernel.hooks.gate(hooks.admission.validate, selector, request);
    });
    const bare = await bestMicros(rounds, calls / taps, async (n) => {
      const functions = Array.from({ length: taps }, () => gate);
      for (let i = 0; i < n; i += 1) await Promise.all(functions.map(async (tap) => tap(request)));
    });
    await kernel.stop();
    const value = rounded((guarded - bare) / taps);
    rows.push({
      name: `hooks: guard of a tap that ${name}, ${taps} taps`,
      value,
      unit: 'µs',
      peer: `bare: ${rounded(bare / taps)} µs`,
      target,
    });
  }
  const kernel = await kernelOf(taps, now, count);
  const guarded = await bestMicros(rounds, calls, (n) => {
    for (let i = 0; i < n; i += 1) kernel.hooks.observe(hooks.telemetry.log, line);
  });
  const bare = await bestMicros(rounds, calls, (n) => {
    const functions = Array.from({ length: taps }, () => count);
    for (let i = 0; i < n; i += 1) for (const tap of functions) tap();
  });
  await kernel.stop();
  if (received === 0) throw new Error('no tap was called');
  const value = rounded((guarded - bare) / taps);
  rows.push({
    name: `hooks: guard of a synchronous tap, ${taps} taps`,
    value,
    unit: 'µs',
    peer: `bare: ${rounded(bare / taps)} µs`,
    target: '≤ 0.2',
  });
  return rows;
}
