import type { ProcessIdentity } from '../process/identity.js';

/** The container is not running, for this reason. */
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

/** The durable record of a container, from which a restarted agent continues. */
export interface ContainerRecord {
  readonly state: ContainerState;
  /** How the previous run ended. */
  readonly last?: Terminated;
  /** Number of starts, 0 before the first. Run n writes its output and exit code to files numbered n. */
  readonly starts: number;
  /** Number of consecutive early ends, which determines the delay before the next start. */
  readonly failures: number;
  readonly imageId?: string;
  /** Image in the pod at the time of the start; a different one now requires a restart. */
  readonly image?: string;
  /** Where commands beside the present process run; their environment is read from the process itself. */
  readonly place?: { readonly prefix: readonly string[]; readonly cwd: string };
}

export const freshContainer: ContainerRecord = Object.freeze({
  state: { is: 'waiting', reason: 'ContainerCreating' } as const,
  starts: 0,
  failures: 0,
});

/** The exit code of a process killed by SIGKILL (128 + 9). */
const killed = 137;

/** The state of a container whose run has ended. */
export function terminated(
  run: Running,
  exit: { readonly exitCode: number; readonly finishedAtMs: number } | undefined,
  nowMs: number,
  message?: string,
): Terminated {
  const exitCode = exit?.exitCode ?? killed;
  const endMessage = message ?? (exit === undefined ? 'was killed before it could leave an exit code' : undefined);
  return {
    is: 'terminated',
    exitCode,
    reason: exitCode === 0 ? 'Completed' : 'Error',
    ...(endMessage === undefined ? {} : { message: endMessage }),
    startedAtMs: run.startedAtMs,
    finishedAtMs: exit?.finishedAtMs ?? nowMs,
  };
}
