import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { identify, type ProcessIdentity } from './identity.js';

/** What to run, and where its output and exit code go. */
export interface Launch {
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly stdoutFile: string;
  readonly stderrFile: string;
  readonly exitFile: string;
}

/** A process that waits for permission to begin. */
export interface Launched {
  readonly identity: ProcessIdentity;
  /** Lets it begin; without this it ends by itself when its starter does. */
  begin(): void;
  /** Resolves when it has ended. */
  readonly ended: Promise<void>;
}

/**
 * The small shell that stays above every container.
 *
 * It begins only when told so, after its pid is on disk; it ends nothing but outlives its starter, writes the exit code of what it ran
 * where a restarted agent finds it, and takes whatever is left of its process group with it. Output goes to files, not through pipes,
 * so that nothing depends on whoever reads them; what the shell
 * itself has to say ("Terminated") is none of the program's output. The traps keep it alive through a signal to the group; what it runs gets the
 * signals' default actions.
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

/** Prepares a process in a group of its own. @throws when the system refuses to start it. */
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

/** How a process ended: 128 + n when signal n ended it. */
export interface Exit {
  readonly exitCode: number;
  readonly finishedAtMs: number;
}

/** What the keeper wrote; nothing when it was killed before it could. */
export async function readExit(exitFile: string): Promise<Exit | undefined> {
  const text = await readFile(exitFile, 'utf8').catch(() => undefined);
  const exitCode = Number.parseInt(text ?? '', 10);
  if (Number.isNaN(exitCode)) return undefined;
  const { mtimeMs } = await stat(exitFile);
  return { exitCode, finishedAtMs: Math.round(mtimeMs) };
}
