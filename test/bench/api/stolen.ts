/** Processor time that a host gives to others: a virtual machine waits in it, and nothing that runs there can tell why. */
import { readFile } from 'node:fs/promises';

/** The eighth figure of the first line of /proc/stat; in hundredths of a second. */
const stealField = 8;
const msOfTick = 10;

/** Of all processors since the system started, in ms; 0 where the system does not say. */
export async function stolenMs(): Promise<number> {
  if (process.platform !== 'linux') return 0;
  const [all = ''] = (await readFile('/proc/stat', 'utf8')).split('\n', 1);
  return Number(all.split(/ +/)[stealField] ?? 0) * msOfTick;
}
