import type { Client } from '@tappaas/client';
import type { ApplicationView } from './application-view.js';
import { CliError } from './cli-error.js';
import { exitCodes } from './command.js';
import { unknownApplication } from './commands/delete.js';
import { applicationPath, kindPath } from './paths.js';

/** The parts of an object in a release that commands read. */
interface RenderedObject {
  readonly kind: string;
  readonly metadata?: { readonly namespace?: string };
}

/** Kinds whose pods belong to an application. A release may contain other objects in other namespaces. */
const workloads = new Set(['Deployment', 'StatefulSet', 'Job', 'CronJob']);

interface ReleaseView {
  readonly spec: { readonly cluster: string; readonly objects: readonly RenderedObject[] };
}

const processLabel = 'app.kubernetes.io/component';

/** The parts of a pod that commands read. */
export interface PodView {
  readonly metadata: {
    readonly name: string;
    readonly creationTimestamp?: string;
    readonly deletionTimestamp?: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly spec?: { readonly containers?: readonly { readonly name: string }[] };
  readonly status?: {
    readonly phase?: string;
    readonly containerStatuses?: readonly {
      readonly restartCount: number;
      readonly ready: boolean;
      readonly state?: { readonly waiting?: { readonly reason?: string }; readonly terminated?: object };
    }[];
  };
}

/** Returns the process that a pod belongs to. */
export const processOf = ({ metadata }: PodView): string | undefined => metadata.labels?.[processLabel];

/** Whether a pod has written output, or could have. */
export const hasStarted = ({ status }: PodView): boolean =>
  status?.containerStatuses?.some(({ restartCount, state }) => restartCount > 0 || (state !== undefined && state.waiting === undefined)) ===
  true;

/** Returns the pods that have a log; if none has started, returns all, because the platform explains the missing log. */
export function startedOrAll(found: readonly PodView[]): readonly PodView[] {
  const started = found.filter(hasStarted);
  return started.length === 0 ? found : started;
}

/** Selects the pods of an application, or of one of its processes. */
export function podsSelector({ name, process }: { readonly name: string; readonly process?: string }): string {
  return [`app.kubernetes.io/instance=${name}`, ...(process === undefined ? [] : [`${processLabel}=${process}`])].join(',');
}

/** Returns the pods of an application or of one of its processes, the API path of their namespace, and all processes in order. */
export async function podsOfApplication(
  client: Client,
  { namespace, name, process }: { readonly namespace: string; readonly name: string; readonly process?: string },
): Promise<{ readonly place: string; readonly pods: readonly PodView[]; readonly processes: readonly string[] }> {
  const { place, processes } = await placeOf(client, { namespace, name, ...(process !== undefined && { process }) });
  const selector = podsSelector({ name, ...(process !== undefined && { process }) });
  const found = await client.json<{ items: readonly PodView[] }>(`${place}/pods?labelSelector=${encodeURIComponent(selector)}`);
  return { place, pods: found?.items ?? [], processes };
}

async function placeOf(
  client: Client,
  { namespace, name, process }: { readonly namespace: string; readonly name: string; readonly process?: string },
): Promise<{ readonly place: string; readonly processes: readonly string[] }> {
  const application = await client.json<ApplicationView>(applicationPath(namespace, name));
  if (application === undefined) throw unknownApplication(name, namespace);
  const processes = application.spec.processes.map((each) => each.name);
  if (process !== undefined && !processes.includes(process)) {
    throw new CliError(`application ${name} has no process "${process}"`, {
      remedy: `It has ${processes.join(', ')}.`,
      exitCode: exitCodes.usage,
    });
  }
  const release = application.status?.release;
  const place = release === undefined ? undefined : await placeOfRelease(client, namespace, release);
  if (place === undefined) {
    throw new CliError(`application ${name} has no release yet`, {
      remedy: `tappaas status ${name} says what it waits for.`,
      exitCode: exitCodes.failed,
    });
  }
  return { place, processes };
}

/** The API path of the namespace that the pods of a release are in. */
export async function placeOfRelease(client: Client, namespace: string, name: string): Promise<string | undefined> {
  const release = await client.json<ReleaseView>(kindPath('releases', namespace, name));
  if (release === undefined) return undefined;
  const there = release.spec.objects.find(({ kind }) => workloads.has(kind))?.metadata?.namespace ?? namespace;
  return `/clusters/${release.spec.cluster}/api/v1/namespaces/${there}`;
}

/** The error for an application without pods. */
export function noPods(name: string): CliError {
  return new CliError(`application ${name} has no pods`, { remedy: `tappaas status ${name} says why.`, exitCode: exitCodes.failed });
}
