import { timedLine } from '@tappaas/sdk/log';
import type { Client } from '@tappaas/client';
import type { ApplicationView } from './application-view.js';
import { CliError } from './cli-error.js';
import { exitCodes, type Invocation } from './command.js';
import { recordOf, streams } from './log-record.js';
import { applicationPath } from './paths.js';
import { hasStarted, noPods, placeOfRelease, podsSelector, startedOrAll, type PodView } from './pods-of-application.js';
import { printEach } from './print.js';
import { untilAnswered } from './until-answered.js';
import { isForPrograms } from './watching-options.js';

/** What to follow: the pods of an application or of one of its processes, starting with those found. */
interface Followed {
  readonly name: string;
  readonly process?: string;
  /** API path of the namespace of the pods. */
  readonly place: string;
  readonly found: readonly PodView[];
  readonly tailLines: number;
}

/** Shows the output of all pods, including later ones, until Ctrl-C or until the application and its last pod are gone. */
export async function followLogs(invocation: Invocation, client: Client, followed: Followed): Promise<number> {
  const { name, found } = followed;
  if (found.length === 0) throw noPods(name);
  const over = new AbortController();
  const feed = new LogFeed(invocation, client, followed, over.signal);
  for (const { metadata } of startedOrAll(found)) feed.begin(followed.place, metadata.name, followed.tailLines);
  feed.watchPlace(followed.place);
  try {
    await Promise.race([feed.failed, feed.untilDeleted().then(() => feed.drained())]);
  } finally {
    over.abort();
  }
  throw new CliError(`application ${name} was deleted`, {
    remedy: 'tappaas apps lists those that are left.',
    exitCode: exitCodes.failed,
  });
}

class LogFeed {
  readonly #invocation: Invocation;
  readonly #client: Client;
  readonly #followed: Followed;
  readonly #signal: AbortSignal;
  readonly #places = new Set<string>();
  /** By path of the pod. */
  readonly #running = new Map<string, Promise<void>>();
  readonly #failure = Promise.withResolvers<never>();
  /** From the second pod on, each line is prefixed with the pod's name. */
  readonly #seen: Set<string>;

  constructor(invocation: Invocation, client: Client, followed: Followed, signal: AbortSignal) {
    this.#invocation = invocation;
    this.#client = client;
    this.#followed = followed;
    this.#signal = signal;
    this.#seen = new Set(followed.found.map(({ metadata }) => metadata.name));
  }

  /** Rejects with the error that prevents one of the logs from being followed. */
  get failed(): Promise<never> {
    return this.#failure.promise;
  }

  begin(place: string, pod: string, tailLines?: number): void {
    const path = `${place}/pods/${encodeURIComponent(pod)}`;
    if (this.#running.has(path)) return;
    this.#seen.add(pod);
    const ended = this.#follow(path, pod, tailLines).finally(() => this.#running.delete(path));
    this.#running.set(path, ended);
    ended.catch((error: unknown) => this.#failure.reject(error));
  }

  /** Follows the pods of a namespace, once per namespace: the next release may run on another cluster. */
  watchPlace(place: string): void {
    if (this.#places.has(place)) return;
    this.#places.add(place);
    this.#watchPods(place).catch((error: unknown) => this.#failure.reject(error));
  }

  /** Resolves when the application is deleted; until then, follows each release that serves. */
  async untilDeleted(): Promise<void> {
    const { namespace } = this.#invocation;
    const selected = { fields: `metadata.name=${this.#followed.name}`, signal: this.#signal };
    let isThere = false;
    let served: string | undefined;
    for await (const event of this.#client.watch<ApplicationView>(applicationPath(namespace), selected)) {
      if (event.type === 'DELETED' || (event.type === 'SYNCED' && !isThere)) return;
      isThere = true;
      const release = event.type === 'SYNCED' ? undefined : event.object.status?.release;
      if (release === undefined || release === served) continue;
      served = release;
      const place = await this.#placeOf(release);
      if (place !== undefined) this.watchPlace(place);
    }
  }

  /** The place of a release, as soon as the platform answers: a restart of it ends nothing. */
  #placeOf(release: string): Promise<string | undefined> {
    const { namespace, remark } = this.#invocation;
    return untilAnswered(
      () => placeOfRelease(this.#client, namespace, release),
      this.#signal,
      ({ message }) => remark(`release ${release} cannot be read now (${message}); its pods are followed as soon as it can`),
    );
  }

  /** Follows pods that start later, from their first line. */
  async #watchPods(place: string): Promise<void> {
    const { tailLines, found } = this.#followed;
    const known = new Set(place === this.#followed.place ? found.filter(hasStarted).map(({ metadata }) => metadata.name) : []);
    for await (const event of this.#client.watch<PodView>(`${place}/pods`, {
      labels: podsSelector(this.#followed),
      signal: this.#signal,
    })) {
      if (event.type === 'SYNCED') continue;
      const { name } = event.object.metadata;
      if (event.type === 'DELETED') known.delete(name);
      else if (hasStarted(event.object)) this.begin(place, name, known.has(name) ? tailLines : undefined);
    }
  }

  /** Resolves when the last pod is gone. */
  async drained(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running.values());
  }

  async #follow(path: string, pod: string, tailLines: number | undefined): Promise<void> {
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
