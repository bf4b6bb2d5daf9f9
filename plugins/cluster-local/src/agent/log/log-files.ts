import { join } from 'node:path';

/** Files of one run of a container. */
export interface LogFiles {
  /** Raw output of the process; truncated once it is large and has been read completely. */
  readonly stdout: string;
  readonly stderr: string;
  /** The positions up to which both outputs have been read. */
  readonly position: string;
  /** The formatted log, and its previous file after a rotation. */
  readonly log: string;
  readonly older: string;
  readonly exit: string;
}

/** Paths of the files of a container's run. */
export function logFiles(containerDirectory: string, run: number): LogFiles {
  const at = (suffix: string) => join(containerDirectory, `${run}.${suffix}`);
  return { stdout: at('out'), stderr: at('err'), position: at('pos'), log: at('log'), older: at('log.1'), exit: at('exit') };
}
