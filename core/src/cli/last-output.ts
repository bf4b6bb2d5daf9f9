import type { Client } from '@tappaas/client';
import { podsOfApplication, type PodView } from './pods-of-application.js';

const linesMax = 10;
const lineCharactersMax = 300;
/** Maximum number of reads per deployment, because a crashing pod repeats the same reasons. */
const looksMax = 20;

interface Application {
  readonly namespace: string;
  readonly name: string;
}

/**
 * Captures the last output of an application's pods that keep exiting. It is read as soon as one has exited, because the pods are gone once
 * a rollout has failed. Uses the caller's own permissions; if they do not suffice, or the cluster serves no logs, there is no output.
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

  /** Reads once per distinct reason why the application does not serve yet, in the background. */
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

/** Returns the last output of the newest pod that keeps exiting; an empty list if there is none or it cannot be read. */
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

/** Whether a pod has a container that has run before but is not running now. */
function hasEnded({ status }: PodView): boolean {
  return (status?.containerStatuses ?? []).some(
    ({ ready, restartCount, state }) =>
      !ready && (restartCount > 0 || state?.terminated !== undefined || state?.waiting?.reason === 'CrashLoopBackOff'),
  );
}

const createdAt = ({ metadata }: PodView): string => metadata.creationTimestamp ?? '';
