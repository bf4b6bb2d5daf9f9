import { processesMarked } from './table.js';

/** The environment variable that identifies all processes of a container. */
export const markName = 'TAPPAAS_CONTAINER';
/** The environment variable that distinguishes processes of a command beside a container from those of the container. */
export const commandMarkName = 'TAPPAAS_COMMAND';

/** The value of {@link markName} for one run of a container. */
export const markOfRun = (uid: string | undefined, container: string, run: number): string => `${uid}/${container}/${run}`;

/** Maximum number of searches: a process may start others while it is being killed. */
const passesMax = 5;

/**
 * Kills every process that was started with `name=value` in its environment, in whatever session and group. Processes that cleared their
 * environment are not found, and none is on systems without `/proc`.
 */
export async function endMarked(name: string, value: string): Promise<void> {
  for (let pass = 0; pass < passesMax; pass += 1) {
    const found = await processesMarked(`${name}=${value}`);
    if (found.length === 0) return;
    found.forEach(kill);
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
