import { processesMarked } from './table.js';

/** The variable by which every process of a container is recognised. */
export const markName = 'TAPPAAS_CONTAINER';
/** The variable by which what a command beside a container has begun is told from the rest of the container. */
export const commandMarkName = 'TAPPAAS_COMMAND';

/** What the mark of a container's run says. */
export const markOfRun = (uid: string | undefined, container: string, run: number): string => `${uid}/${container}/${run}`;

/** What begins others while it is being ended is looked for again, so often. */
const passesMax = 5;

/**
 * Ends every process that was started with `name=value`, also in sessions and groups of its own. What cleared its environment is not
 * found, and nothing is where there is no `/proc`.
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
