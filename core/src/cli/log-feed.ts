import { timedLine } from '@tappaas/sdk/log';
import type { Client } from '@tappaas/client';
import { CliError } from './cli-error.js';
import { exitCodes, type Invocation } from './command.js';
import { recordOf, streams } from './log-record.js';
import { applicationPath } from './paths.js';
import { hasStarted, noPods, podsSelector, startedOrAll, type PodView } from './pods-of-application.js';
import { printEach } from './print.js';
import { isForPrograms } from './watching-options.js';

/** What is followed: the pods of an application, or of one of its processes, and those that there are. */
interface Followed {
  readonly name: string;
  readonly process?: string;
  /** API path of the namespace that the pods are in. */
  readonly place: string;
  readonly found: readonly PodView[];
  readonly tailLines: number;
}

/** Shows what all pods write, those that come later too, until Ctrl-C, or until the application and its last pod are gone. */
export async function followLogs(invocation: Invocation, client: Client, followed: Followed): Promise<number> {
  const { name, found } = followed;
  if (found.length === 0) throw noPods(name);
  const over = new AbortController();
  const feed = new LogFeed(invocation, client, followed, over.signal);
  for (const { metadata } of startedOrAll(found)) feed.begin(metadata.name, followed.tailLines);
  try {
    await Promise.race([feed.failed, feed.watchPods(), untilDeleted(invocation, client, name, over.signal).then(() => feed.drained())]);
  } finally {
    over.abort();
  }
  throw new CliError(`application ${name} was deleted`, {
    remedy: 'tappaas apps lists those that are left.',
    exitCode: exitCodes.failed,
  });
}

async function untilDeleted({ namespace }: Invocation, client: Client, name: string, signal: AbortSignal): Promise<void> {
  let isThere = false;
  for await (const { type } of client.watch(applicationPath(namespace), { fields: `metadata.name=${name}`, signal })) {
    if (type === 'DELETED' || (type === 'SYNCED' && !isThere)) return;
    isThere = true;
  }
}

class LogFeed {
  readonly #invocation: Invocation;
  readonly #client: Client;
  readonly #followed: Followed;
  readonly #signal: AbortSignal;
  readonly #running = new Map<string, Promise<void>>();
  readonly #failure = Promise.withResolvers<never>();
  /** From the second pod on each line is headed by the pod's name. */
  readonly #seen: Set<string>;

  constructor(invocation: Invocation, client: Client, followed: Followed, signal: AbortSignal) {
    this.#invocation = invocation;
    this.#client = client;
    this.#followed = followed;
    this.#signal = signal;
    this.#seen = new Set(followed.found.map(({ metadata }) => metadata.name));
  }

  /** Rejects with what keeps one of the logs from being followed. */
  get failed(): Promise<never> {
    return this.#failure.promise;
  }

  begin(pod: string, tailLines?: number): void {
    if (this.#running.has(pod)) return;
    this.#seen.add(pod);
    const ended = this.#follow(pod, tailLines).finally(() => this.#running.delete(pod));
    this.#running.set(pod, ended);
    ended.catch((error: unknown) => this.#failure.reject(error));
  }

  /** Follows pods that begin later, from their first line. */
  async watchPods(): Promise<void> {
    const { place, tailLines, found } = this.#followed;
    const known = new Set(found.filter(hasStarted).map(({ metadata }) => metadata.name));
    for await (const event of this.#client.watch<PodView>(`${place}/pods`, {
      labels: podsSelector(this.#followed),
      signal: this.#signal,
    })) {
      if (event.type === 'SYNCED') continue;
      const { name } = event.object.metadata;
      if (event.type === 'DELETED') known.delete(name);
      else if (hasStarted(event.object)) this.begin(name, known.has(name) ? tailLines : undefined);
    }
  }

  /** When the last pod is gone. */
  async drained(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running.values());
  }

  async #follow(pod: string, tailLines: number | undefined): Promise<void> {
    const path = `${this.#followed.place}/pods/${encodeURIComponent(pod)}`;
    const options = { ...(tailLines !== undefined && { tailLines }), signal: this.#signal };
    const { stdout } = this.#invocation.terminal;
    if (!isForPrograms(this.#invocation)) {
      for await (const line of this.#client.log(path, options)) {
        stdout.write(`${this.#seen.size > 1 ? `${pod}  ` : ''}${timedLine(line).text}\n`);
      }
      return;
    }
    await Promise.all(
      streams.map(async (stream) => {
        for await (const line of this.#client.log(path, { ...options, stream })) {
          await printEach(this.#invocation, recordOf(pod, stream, line), () => '');
        }
      }),
    );
  }
}
