/**
 * Reads of the whole platform answered a second, over HTTPS: by its own process and by two workers. The client shares the cores, so the factor of
 * rates says what is left of a second core; the factor by processor time says what two workers serve where each has a core of its own.
 */
import { greatestRate, type Rate } from './api/rate.ts';
import { withPlatform } from './api/whole-platform.ts';
import type { BenchmarkRow } from './row.ts';

export async function run({ smoke }: { readonly smoke: boolean }): Promise<BenchmarkRow[]> {
  const alone = await withPlatform(0, (platform) => greatestRate(platform, smoke));
  const two = await withPlatform(2, (platform) => greatestRate(platform, smoke));
  const peer = 'the platform’s process';
  const rates = (name: string, { perSecond }: Rate): BenchmarkRow => ({ name, value: perSecond, unit: 'requests/s' });
  const costs = (name: string, { perCpuSecond }: Rate): BenchmarkRow => ({ name, value: perCpuSecond, unit: 'requests/CPU s' });
  return [
    rates('GET one object, served by the platform’s process', alone),
    { ...rates('the same, by two workers, all on the cores of the client', two), peer, ratio: two.perSecond / alone.perSecond },
    costs('GET one object, processor time of the platform’s process', alone),
    { ...costs('the same, of two workers and the process that has the store', two), peer, ratio: two.perCpuSecond / alone.perCpuSecond },
    {
      name: 'what two workers serve by their processor time, each with a core of its own',
      value: 2 * two.perCpuSecond,
      unit: 'requests/s',
      peer,
      ratio: (2 * two.perCpuSecond) / alone.perCpuSecond,
    },
  ];
}
