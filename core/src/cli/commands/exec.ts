import type { Client, ExecRequest, TerminalSize, UnreachableError } from '@tappaas/client';
import { inNamespace } from '../called-as.js';
import { CliError } from '../cli-error.js';
import { exitCodes, type Invocation } from '../command.js';
import { podsOfApplication, processOf, type PodView } from '../pods-of-application.js';
import type { Input, Terminal } from '../terminal.js';

/** `tappaas exec APPLICATION -- COMMAND`: writes only the command's own output, and exits with its exit code. */
export async function exec(invocation: Invocation): Promise<number> {
  const { positionals, options, terminal } = invocation;
  const [name = '', ...command] = positionals;
  if (options['output'] !== undefined) throw usage('-o does not apply: what the command writes is written as it is', 'Leave -o out.');
  const input = options['stdin'] === true ? terminal.input() : undefined;
  const hasTerminal = options['tty'] === true;
  if (hasTerminal && !(terminal.stdout.isTTY === true && (input === undefined || input.isTTY === true))) {
    throw usage('-t needs a terminal on both sides, and there is none here', 'Leave -t out; -i alone gives the command what is piped in.');
  }
  const client = await invocation.client();
  const requested = { ...(await podFor(client, invocation, name)), command };
  return run(client, terminal, requested, { input, hasTerminal }).catch(async (error: unknown) => {
    throw await explainedEnd(client, error);
  });
}

async function run(
  client: Client,
  terminal: Terminal,
  requested: Pick<ExecRequest, 'pod' | 'container' | 'command'>,
  { input, hasTerminal }: { readonly input: Input | undefined; readonly hasTerminal: boolean },
): Promise<number> {
  const over = new AbortController();
  const { signal } = over;
  const running = client.exec({
    ...requested,
    ...(input !== undefined && { input }),
    ...(hasTerminal && { terminal: sizesOf(terminal, signal) }),
    signal,
  });
  const isRaw = hasTerminal && input !== undefined;
  if (isRaw) input.setRawMode?.(true);
  try {
    for (;;) {
      const { done, value } = await running.next();
      if (done === true) return value;
      terminal[value.stream].write(value.bytes);
    }
  } finally {
    if (isRaw) input.setRawMode?.(false);
    over.abort();
    // An open stdin would keep the process from exiting.
    input?.destroy();
  }
}

/**
 * Explains the end of a command whose credential became invalid while it ran: the connection just closes then, but the platform refuses
 * the next request with the reason. A command is not begun anew to find out.
 */
async function explainedEnd(client: Client, error: unknown): Promise<unknown> {
  if (!(error instanceof Error) || (error as Partial<UnreachableError>).reason !== 'broken-off') return error;
  const answer = await client.send('/api').catch(() => undefined);
  if (answer?.status !== 401) return error;
  const { ApiError } = await import('@tappaas/client');
  return new CliError(`the command was ended, because its credential is no longer valid: ${ApiError.of(answer).message}`, {
    remedy: 'Log in again with tappaas login, then give the command again.',
    exitCode: exitCodes.failed,
    cause: error,
  });
}

/** Yields the current terminal size and each new one. */
async function* sizesOf(terminal: Terminal, signal: AbortSignal): AsyncGenerator<TerminalSize, void> {
  let changed = Promise.withResolvers<void>();
  const note = (): void => changed.resolve();
  terminal.onResize(note, signal);
  signal.addEventListener('abort', note, { once: true });
  while (!signal.aborted) {
    changed = Promise.withResolvers<void>();
    const { columns = 80, rows = 24 } = terminal.stdout;
    yield { columns, rows };
    await changed.promise;
  }
}

/** Selects the pod for the command among the running ones, in the order of processes and names. */
async function podFor(
  client: Client,
  { options, namespace, terminal }: Pick<Invocation, 'options' | 'namespace' | 'terminal'>,
  name: string,
): Promise<Pick<ExecRequest, 'pod' | 'container'>> {
  const { process, replica } = options;
  const { place, pods, processes } = await podsOfApplication(client, { namespace, name, ...(typeof process === 'string' && { process }) });
  const rank = (pod: PodView): number => processes.indexOf(processOf(pod) ?? '');
  const running = pods
    .filter(({ metadata, status }) => metadata.deletionTimestamp === undefined && status?.phase === 'Running')
    .toSorted((one, other) => rank(one) - rank(other) || (one.metadata.name < other.metadata.name ? -1 : 1));
  const meant = (pod: PodView, index: number): boolean => pod.metadata.name === replica || String(index + 1) === replica;
  const found = replica === undefined ? (running.find(isReady) ?? running[0]) : running.find(meant);
  if (found === undefined) throw nowhere(name, running, replica, inNamespace(terminal, namespace));
  const container = found.spec?.containers?.find((each) => each.name === processOf(found))?.name;
  return { pod: `${place}/pods/${encodeURIComponent(found.metadata.name)}`, ...(container !== undefined && { container }) };
}

const isReady = ({ status }: PodView): boolean => status?.containerStatuses?.every(({ ready }) => ready) === true;

function nowhere(name: string, running: readonly PodView[], replica: string | boolean | undefined, place: string): CliError {
  if (running.length === 0) {
    return new CliError(`nothing of application ${name} runs`, {
      remedy: `tappaas status ${name}${place} says why.`,
      exitCode: exitCodes.failed,
    });
  }
  const known = running.map(({ metadata }, index) => `${index + 1} (${metadata.name})`).join(', ');
  return new CliError(`application ${name} has no running replica "${String(replica)}"`, {
    remedy: `It has ${known}.`,
    exitCode: exitCodes.failed,
  });
}

const usage = (message: string, remedy: string): CliError => new CliError(`exec: ${message}`, { remedy, exitCode: exitCodes.usage });
