import { join } from 'node:path';

/** Files of one run of a container. */
export interface LogFiles {
  /** What the process writes itself; emptied as soon as it is large and has been read. */
  readonly stdout: string;
  readonly stderr: string;
  /** How far the two have been read. */
  readonly position: string;
  /** The log, and its older part. */
  readonly log: string;
  readonly older: string;
  readonly exit: string;
}

/** Paths of the files of run `run` of a container. */
export function logFiles(containerDirectory: string, run: number): LogFiles {
  const at = (suffix: string) => join(containerDirectory, `${run}.${suffix}`);
  return { stdout: at('out'), stderr: at('err'), position: at('pos'), log: at('log'), older: at('log.1'), exit: at('exit') };
}
