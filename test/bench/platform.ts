import { manyApplications } from './platform/many-applications.ts';
import { sourceToUrl } from './platform/source-to-url.ts';
import type { BenchmarkRow } from './row.ts';

const deployMinutesMax = 30;

/** The whole platform: start to ready, source to URL, reads at 100 to 10,000 applications, restart and memory with all of them. */
export async function run({ smoke }: { readonly smoke: boolean }): Promise<readonly BenchmarkRow[]> {
  const most = Number(process.env['TAPPAAS_BENCH_APPLICATIONS'] ?? 10_000);
  const counts = smoke ? [5, 20] : [100, 1_000, 10_000].filter((count) => count <= most);
  const many = { counts, reads: smoke ? 20 : 300, settleMsMax: smoke ? 15_000 : 300_000, deployMsMax: deployMinutesMax * 60_000 };
  return [...(await sourceToUrl()), ...(await manyApplications(many))];
}
