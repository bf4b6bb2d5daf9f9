import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { constants } from 'node:os';
import type { Readable, Writable } from 'node:stream';
import { identify, signalGroup } from '../process/identity.js';
import { commandMarkName, endMarked } from '../process/marked.js';
import { execFrame, frames } from '../exec-frame.js';
import { roomIn } from '../room-in.js';
import type { Beside } from './probe-check.js';

/** Where the output goes; of a server's answer as much as that takes. */
interface Answer extends Writable {
  writeHead(status: number, headers: Readonly<Record<string, string>>): unknown;
  flushHeaders(): void;
}

/** How a command ended. */
export interface ExecEnd {
  /**
   * 128 + n when signal n ended it, 127 when the program was not found, 126 when it cannot be run; absent when the failure was not the
   * command's.
   */
  readonly exitCode?: number;
  /** Why it could not be started. */
  readonly problem?: string;
}

/**
 * Runs a command beside a container. The request's body is its standard input; the response consists of frames with its output, then its
 * end. When the client disconnects, or the agent or the container ends, the command ends with all processes it started. Processes that it
 * leaves behind when it ends by itself are ended with the container.
 */
export async function runBeside(
  command: readonly string[],
  beside: Beside,
  input: Readable,
  response: Answer,
  signal: AbortSignal,
): Promise<void> {
  const [program = '', ...args] = [...beside.prefix, ...command];
  const mark = randomUUID();
  const env = { ...beside.env, [commandMarkName]: mark };
  const child = spawn(program, args, { cwd: beside.cwd, env, detached: true, stdio: ['pipe', 'pipe', 'pipe'] });
  response.writeHead(200, { 'content-type': 'application/octet-stream' });
  response.flushHeaders();
  const identity = child.pid === undefined ? undefined : identify(child.pid);
  let ending: Promise<void> | undefined;
  const kill = (): void => {
    if (identity) signalGroup(identity, 'SIGKILL');
    ending ??= endMarked(commandMarkName, mark);
  };
  const closed = (): void => {
    if (!response.writableFinished) kill();
  };
  response.once('close', closed);
  signal.addEventListener('abort', kill, { once: true });
  try {
    const ended = endOf(child);
    // The command has closed its input without reading all of it, which is not an error.
    child.stdin.on('error', () => input.resume());
    input.pipe(child.stdin);
    await Promise.all([send(child.stdout, frames.stdout, response), send(child.stderr, frames.stderr, response)]);
    const end = await ended;
    if (end.problem !== undefined && end.exitCode !== undefined) response.write(execFrame(frames.stderr, Buffer.from(`${end.problem}\n`)));
    response.end(execFrame(frames.end, Buffer.from(JSON.stringify(end))));
  } finally {
    signal.removeEventListener('abort', kill);
    response.removeListener('close', closed);
    input.unpipe();
    input.resume();
    await ending;
  }
}

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

async function endOf(child: Child): Promise<ExecEnd> {
  const { promise, resolve } = Promise.withResolvers<ExecEnd>();
  child.once('error', (error: NodeJS.ErrnoException) => resolve(notStarted(child.spawnargs.at(0), error)));
  child.once('exit', (code, killedBy) => resolve({ exitCode: code ?? 128 + (killedBy === null ? 0 : constants.signals[killedBy]) }));
  return promise;
}

/**
 * Returns the exit code and message that a shell would give for a command that could not be started.
 *
 * @source POSIX.1-2024, XCU 2.8.2 Exit Status for Commands
 */
function notStarted(program: string | undefined, { code, message }: NodeJS.ErrnoException): ExecEnd {
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return { exitCode: 127, problem: `"${program}": the program was not found, or its directory is gone` };
  }
  if (code === 'EACCES' || code === 'EPERM' || code === 'ENOEXEC' || code === 'ELOOP') {
    return { exitCode: 126, problem: `"${program}": there is no program that can be run (${code})` };
  }
  return { problem: message };
}

async function send(from: Readable, channel: number, response: Answer): Promise<void> {
  try {
    for await (const chunk of from as AsyncIterable<Buffer>) {
      for (let at = 0; at < chunk.length; at += frames.bytesMax) {
        const part = chunk.subarray(at, at + frames.bytesMax);
        if (!response.write(execFrame(channel, part)) && !response.destroyed) await roomIn(response);
      }
    }
  } catch {
    // The program could not be started, which its end reports.
  }
}
