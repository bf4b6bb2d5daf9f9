import type { ProcessIdentity } from '../process/identity.js';

/** Nothing runs, and why. */
export interface Waiting {
  readonly is: 'waiting';
  readonly reason: string;
  readonly message?: string;
}

export interface Running {
  readonly is: 'running';
  readonly identity: ProcessIdentity;
  readonly startedAtMs: number;
}

export interface Terminated {
  readonly is: 'terminated';
  readonly exitCode: number;
  readonly reason: string;
  readonly message?: string;
  readonly startedAtMs: number;
  readonly finishedAtMs: number;
}

export type ContainerState = Waiting | Running | Terminated;

/** What is kept of a container, durably, so that a restarted agent goes on with it. */
export interface ContainerRecord {
  readonly state: ContainerState;
  /** How the run before ended. */
  readonly last?: Terminated;
  /** Starts so far; 0 before the first. Run n writes its output and exit code to files numbered n. */
  readonly starts: number;
  /** Ends in a row that came too soon; sets the delay before the next start. */
  readonly failures: number;
  readonly imageId?: string;
  /** Image named by the pod at the present start; another one now means a new start. */
  readonly image?: string;
  /** How a command is run beside the present process; its environment is read from the process itself. */
  readonly place?: { readonly prefix: readonly string[]; readonly cwd: string };
}

export const freshContainer: ContainerRecord = Object.freeze({
  state: { is: 'waiting', reason: 'ContainerCreating' } as const,
  starts: 0,
  failures: 0,
});

/** Signals by the number that exit codes above 128 carry. */
const killed = 137;

/** How a run that ended is told. */
export function terminated(
  run: Running,
  exit: { readonly exitCode: number; readonly finishedAtMs: number } | undefined,
  nowMs: number,
  message?: string,
): Terminated {
  const exitCode = exit?.exitCode ?? killed;
  const told = message ?? (exit === undefined ? 'was killed before it could leave an exit code' : undefined);
  return {
    is: 'terminated',
    exitCode,
    reason: exitCode === 0 ? 'Completed' : 'Error',
    ...(told === undefined ? {} : { message: told }),
    startedAtMs: run.startedAtMs,
    finishedAtMs: exit?.finishedAtMs ?? nowMs,
  };
}
