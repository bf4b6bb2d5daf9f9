import type { Client } from '@tappaas/client';
import { podsOfApplication, type PodView } from './pods-of-application.js';

const linesMax = 10;
const lineCharactersMax = 300;
/** Times that one deployment looks: a pod that crashes gives the same reason again and again. */
const looksMax = 20;

interface Application {
  readonly namespace: string;
  readonly name: string;
}

/**
 * What the pods of an application wrote last that keep ending, read as soon as one has ended: when a rollout has failed, they are gone. With
 * the caller's own rights; without them, or where a cluster shows no logs, there is none.
 */
export class LastOutput {
  readonly #client: Client;
  readonly #application: Application;
  readonly #reasons = new Set<string>();
  #last: Promise<readonly string[]> = Promise.resolve([]);

  constructor(client: Client, application: Application) {
    this.#client = client;
    this.#application = application;
  }

  /** Looks once for each reason why the application does not serve yet; goes on behind. */
  lookFor(reason: string): void {
    if (this.#reasons.has(reason) || this.#reasons.size >= looksMax) return;
    this.#reasons.add(reason);
    this.#last = this.#last.then(async (before) => {
      const lines = await lastOutputOf(this.#client, this.#application);
      return lines.length > 0 ? lines : before;
    });
  }

  lines(): Promise<readonly string[]> {
    return this.#last;
  }
}

/** What the newest pod that keeps ending wrote last; nothing for whom there is none to see. */
export async function lastOutputOf(client: Client, application: Application): Promise<readonly string[]> {
  return read(client, application).catch(() => []);
}

async function read(client: Client, application: Application): Promise<readonly string[]> {
  const { place, pods } = await podsOfApplication(client, application);
  const [crashed] = pods.filter(hasEnded).toSorted((one, other) => (createdAt(one) < createdAt(other) ? 1 : -1));
  if (crashed === undefined) return [];
  const { status, text } = await client.send(`${place}/pods/${crashed.metadata.name}/log?tailLines=${linesMax}`);
  if (status !== 200) return [];
  return text
    .trimEnd()
    .split(/\r?\n/)
    .filter((line) => line !== '')
    .map((line) => line.slice(0, lineCharactersMax));
}

/** A container that does not run now, and has run before. */
function hasEnded({ status }: PodView): boolean {
  return (status?.containerStatuses ?? []).some(
    ({ ready, restartCount, state }) =>
      !ready && (restartCount > 0 || state?.terminated !== undefined || state?.waiting?.reason === 'CrashLoopBackOff'),
  );
}

const createdAt = ({ metadata }: PodView): string => metadata.creationTimestamp ?? '';
