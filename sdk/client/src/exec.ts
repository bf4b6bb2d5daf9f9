import { ApiError, UnreachableError } from './errors.js';
import type { Devices } from './back-off.js';
import { refusedSocket } from './refused-connection.js';
import { tokenInTime, type GiveToken } from './token.js';
import type { ClientSocket, Transport } from './transport.js';

/** A command to run in a container of a pod. */
export interface ExecRequest {
  /** Path of the pod, such as `/clusters/local/api/v1/namespaces/tappaas-team/pods/shop-web-1`. */
  readonly pod: string;
  /** Container of the pod. Default: its only container, or its default one. */
  readonly container?: string;
  readonly command: readonly string[];
  /** The standard input of the command. Default: empty. */
  readonly input?: AsyncIterable<Uint8Array>;
  /** Gives the command a terminal that takes these sizes one after the other; clusters without terminals refuse it. Default: none. */
  readonly terminal?: AsyncIterable<TerminalSize>;
  /** Ends the command when it aborts. */
  readonly signal: AbortSignal;
}

/** The size of a terminal, in characters. */
export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

/** A piece of the command's output; with a terminal all output is on `stdout`. */
export interface ExecOutput {
  readonly stream: 'stdout' | 'stderr';
  readonly bytes: Uint8Array;
}

export interface ExecParts {
  readonly transport: Transport;
  /** `ws:` or `wss:`, of the pod's exec. */
  readonly url: URL;
  readonly token: GiveToken;
  readonly devices: Devices;
}

/**
 * Kubernetes' protocol: the first byte of each message is its channel. The token is sent as a subprotocol, since browsers cannot set
 * headers.
 */
const protocol = 'v5.channel.k8s.io';
const bearerPrefix = 'base64url.bearer.authorization.k8s.io.';
const channels = { stdin: 0, stdout: 1, stderr: 2, end: 3, size: 4, close: 255 } as const;
const connectingMsMax = 30_000;
const messageBytesMax = 32 * 1024;
/** Bound on the bytes that wait to be sent, and how often they are checked. */
const bufferedBytesMax = 256 * 1024;
const bufferedEveryMs = 10;
/** Bounds on unread messages: at the first, the transport pauses if it can; at the second, the connection is closed. */
const waitingPause = 16;
const waitingMax = 1_000;

/** The path and query of the exec request for a command. */
export function execPath({ pod, container, command, input, terminal }: ExecRequest): string {
  const flags = { stdin: input !== undefined, stdout: true, stderr: terminal === undefined, tty: terminal !== undefined };
  const query = new URLSearchParams(Object.entries(flags).map(([name, is]) => [name, String(is)]));
  if (container !== undefined) query.set('container', container);
  for (const word of command) query.append('command', word);
  return `${pod}/exec?${query.toString()}`;
}

/**
 * Runs a command: yields its output and returns its exit code. Leaving the loop ends the command.
 *
 * @throws ApiError, UnreachableError, or the reason of the signal
 */
export async function* exec(parts: ExecParts, { input, terminal, signal }: ExecRequest): AsyncGenerator<ExecOutput, number> {
  const token = await tokenInTime(parts.token, parts.url.host, parts.devices, signal);
  const bearer = btoa(token).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
  signal.throwIfAborted();
  const command = new Command(await parts.transport.openSocket(parts.url, [protocol, bearerPrefix + bearer]), parts, { input, terminal });
  const abort = (): void => command.end(signal.reason);
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  try {
    return yield* command.output();
  } finally {
    signal.removeEventListener('abort', abort);
    command.end();
  }
}

class Command {
  readonly #socket: ClientSocket;
  readonly #server: string;
  readonly #devices: Devices;
  readonly #waiting: ExecOutput[] = [];
  readonly #over = new AbortController();
  #wake: (() => void) | undefined;
  #exitCode: number | undefined;
  #failure: unknown;

  constructor(socket: ClientSocket, { url, devices }: ExecParts, given: Pick<ExecRequest, 'input' | 'terminal'>) {
    this.#socket = socket;
    this.#server = url.host;
    this.#devices = devices;
    const begun = new AbortController();
    let cause: unknown;
    socket.addEventListener('open', () => {
      begun.abort();
      void this.#begin(given);
    });
    socket.addEventListener('message', ({ data }) => this.#receive(data));
    socket.addEventListener('error', ({ error }) => (cause ??= error));
    socket.addEventListener('close', ({ code, reason }) => this.end(this.#closed(code, reason, cause)));
    devices.sleep(connectingMsMax, AbortSignal.any([begun.signal, this.#over.signal])).then(
      () => this.end(new UnreachableError('deadline', this.#server, `${this.#server} did not begin the command in time`)),
      () => {},
    );
  }

  /** Ends the command; only the first call has an effect. */
  end(failure?: unknown): void {
    if (this.#over.signal.aborted) return;
    this.#failure = failure;
    this.#over.abort();
    this.#socket.close(1000);
    this.#wake?.();
  }

  async *output(): AsyncGenerator<ExecOutput, number> {
    for (;;) {
      const next = this.#waiting.shift();
      if (this.#waiting.length < waitingPause) this.#socket.resume?.();
      if (next !== undefined) yield next;
      else if (this.#exitCode !== undefined) return this.#exitCode;
      else if (this.#over.signal.aborted) throw this.#failure;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  async #begin({ input, terminal }: Pick<ExecRequest, 'input' | 'terminal'>): Promise<void> {
    try {
      await Promise.all([input && this.#send(input), terminal && this.#resize(terminal)]);
    } catch (error) {
      this.end(error);
    }
  }

  async #send(input: AsyncIterable<Uint8Array>): Promise<void> {
    for await (const bytes of input) {
      for (let at = 0; at < bytes.length; at += messageBytesMax) {
        await this.#room();
        this.#write(channels.stdin, bytes.subarray(at, at + messageBytesMax));
      }
      if (this.#over.signal.aborted) return;
    }
    this.#write(channels.close, Uint8Array.of(channels.stdin));
  }

  async #resize(terminal: AsyncIterable<TerminalSize>): Promise<void> {
    for await (const { columns, rows } of terminal) {
      if (this.#over.signal.aborted) return;
      this.#write(channels.size, new TextEncoder().encode(JSON.stringify({ Width: columns, Height: rows })));
    }
  }

  /** Waits for room in the send buffer by polling: neither browsers nor Node's library have an event for it. */
  async #room(): Promise<void> {
    while (this.#socket.bufferedAmount > bufferedBytesMax && !this.#over.signal.aborted) {
      await this.#devices.sleep(bufferedEveryMs, this.#over.signal).catch(() => {});
    }
  }

  #write(channel: number, bytes: Uint8Array): void {
    if (this.#over.signal.aborted) return;
    const message = new Uint8Array(bytes.length + 1);
    message[0] = channel;
    message.set(bytes, 1);
    this.#socket.send(message);
  }

  #receive(data: unknown): void {
    if (this.#over.signal.aborted || !(data instanceof ArrayBuffer)) return;
    const [channel] = new Uint8Array(data, 0, Math.min(1, data.byteLength));
    const bytes = new Uint8Array(data, Math.min(1, data.byteLength));
    if (channel === channels.end) this.#finish(new TextDecoder().decode(bytes));
    else if ((channel === channels.stdout || channel === channels.stderr) && bytes.length > 0) {
      this.#waiting.push({ stream: channel === channels.stdout ? 'stdout' : 'stderr', bytes });
      if (this.#waiting.length >= waitingPause) this.#socket.pause?.();
      if (this.#waiting.length > waitingMax) this.end(this.#brokenOff(`more than ${waitingMax} messages waited to be taken`));
      this.#wake?.();
    }
  }

  #finish(text: string): void {
    const ended = endOf(text);
    if (typeof ended === 'number') this.#exitCode = ended;
    this.end(ended);
  }

  #closed(code: number, reason: string, cause: unknown): Error {
    const refusal = refusedSocket(cause, this.#server);
    if (refusal !== undefined) return refusal;
    const why = reason || (cause instanceof Error ? cause.message : '');
    return this.#brokenOff(`closed with ${code}${why === '' ? '' : `: ${why}`}`, cause);
  }

  #brokenOff(why: string, cause?: unknown): UnreachableError {
    return new UnreachableError('broken-off', this.#server, `the command at ${this.#server} broke off: ${why}`, cause);
  }
}

/** The exit code in a Status, or an error if there is none. */
function endOf(text: string): number | ApiError {
  try {
    const status = JSON.parse(text) as { status?: string; code?: number; details?: { causes?: { reason?: string; message?: string }[] } };
    if (status.status === 'Success') return 0;
    const code = Number(status.details?.causes?.find(({ reason }) => reason === 'ExitCode')?.message ?? Number.NaN);
    return Number.isInteger(code) ? code : new ApiError(status.code ?? 500, status);
  } catch {
    return new ApiError(500, { message: 'the exit status of the command is not in the protocol’s format' });
  }
}
