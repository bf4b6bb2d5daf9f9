import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { identify, type ProcessIdentity } from './identity.js';

/** A command, and the files for its output and exit code. */
export interface Launch {
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly stdoutFile: string;
  readonly stderrFile: string;
  readonly exitFile: string;
}

/** A process that waits for permission to run its command. */
export interface Launched {
  readonly identity: ProcessIdentity;
  /** Lets it run its command; without this call it ends when its starter ends. */
  begin(): void;
  /** Resolves when it has ended. */
  readonly ended: Promise<void>;
}

/**
 * The shell script that supervises every container.
 *
 * It runs the command only after its pid is on disk. It outlives the agent, writes the command's exit code to a file for a restarted agent,
 * and then kills what is left of its process group. Output goes to files, not through pipes, so that nothing depends on a reader. Messages
 * of the shell itself, such as "Terminated", do not get into the program's output. The traps keep the shell alive through a signal to the
 * group; the command gets the default actions of signals.
 */
const keeper = `
read -r word <&3 || exit 125
exec 3<&-
exit_file=$1
shift
trap : TERM INT HUP QUIT USR1 USR2
exec 4>&2 2>/dev/null
"$@" 2>&4 4>&-
code=$?
printf '%s\\n' "$code" > "$exit_file.new" && mv -f "$exit_file.new" "$exit_file"
kill -s KILL 0
`;

/** Starts the supervising shell in a process group of its own. @throws when the system refuses to start it */
export function launch(options: Launch): Launched {
  const stdout = openSync(options.stdoutFile, 'a', 0o600);
  const stderr = openSync(options.stderrFile, 'a', 0o600);
  try {
    const child = spawn('/bin/sh', ['-c', keeper, 'tappaas-container', options.exitFile, ...options.argv], {
      cwd: options.cwd,
      env: { ...options.env },
      detached: true,
      stdio: ['ignore', stdout, stderr, 'pipe'],
    });
    const ended = new Promise<void>((resolve) => {
      child.once('exit', () => resolve());
      child.once('error', () => resolve());
    });
    const gate = child.stdio[3];
    if (child.pid === undefined || gate === null || gate === undefined || !('end' in gate)) {
      throw new Error(`the system did not start a process in ${options.cwd}`);
    }
    gate.on('error', () => undefined);
    const identity = identify(child.pid);
    if (identity === undefined) throw new Error(`process ${child.pid} ended before it began`);
    child.unref();
    return { identity, ended, begin: () => void gate.end('begin\n') };
  } finally {
    closeSync(stdout);
    closeSync(stderr);
  }
}

/** How a process ended; an exit code of 128 + n means that signal n ended it. */
export interface Exit {
  readonly exitCode: number;
  readonly finishedAtMs: number;
}

/** Reads the exit code that the supervising shell wrote; undefined when it was killed before that. */
export async function readExit(exitFile: string): Promise<Exit | undefined> {
  const text = await readFile(exitFile, 'utf8').catch(() => undefined);
  const exitCode = Number.parseInt(text ?? '', 10);
  if (Number.isNaN(exitCode)) return undefined;
  const { mtimeMs } = await stat(exitFile);
  return { exitCode, finishedAtMs: Math.round(mtimeMs) };
}
