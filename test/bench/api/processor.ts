/**
 * A processor of its own for the server and one for the client. Who wakes another over the loopback draws it to its own processor: left to the
 * system, both share one for seconds while the other rests.
 */
import { execFile } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { promisify } from 'node:util';

export type Side = 'server' | 'client';

/** Whether sides can be kept apart here: `taskset` of Linux says where a process may run. */
const canKeepApart = process.platform === 'linux' && availableParallelism() > 1;

/** The client with all its threads; of the server the thread that serves, while those that collect garbage go where there is room. */
export async function keepOn(side: Side, pid: number | undefined): Promise<void> {
  if (!canKeepApart || pid === undefined) return;
  const words = side === 'server' ? ['--cpu-list', '--pid', '0'] : ['--all-tasks', '--cpu-list', '--pid', '1'];
  await promisify(execFile)('taskset', [...words, String(pid)]);
}
