import { isTapError, objectErrors } from '@tappaas/sdk';
import DataLoader from 'dataloader';
import type { Call } from '../contributions.js';
import { mergedSources } from '../watch/merged-sources.js';
import { untilAborted } from '../watch/stream-pace.js';
import { textLines } from '../watch/text-lines.js';
import type { AccessOutcome, AskedAccess } from './audit-entry.js';
import type { GraphqlContext } from './context.js';
import { graphqlErrors } from './errors.js';
import type { LiveEvent } from './live-events.js';
import { valueAt, type ObjectBody } from './object-reader.js';
import { isPending, untilBegun } from './pending-pods.js';
import type { PlacementDecision } from './ports.js';
import type { ExposedKind } from './schema/exposed-kinds.js';
import { wholeList } from './whole-list.js';

/** Where the pods of an application are. */
interface Place {
  readonly cluster: string;
  readonly namespace: string;
}

/** A line of output of one of an application's pods. */
export interface LogLine {
  readonly pod: string;
  readonly process: string | undefined;
  readonly text: string;
}

export interface LogQuery {
  readonly process?: string | null;
  readonly tail: number;
}

const pods = { group: '', version: 'v1', plural: 'pods' } as const;
const instanceLabel = 'app.kubernetes.io/instance';
const componentLabel = 'app.kubernetes.io/component';
/** Pods of all applications of one place that are read at once, and in all. */
const podsBounds = { pageMax: 1_000, max: 10_000 };
/** Pods whose output is read or followed at once. */
const outputsMax = 100;
const lineCharactersMax = 16 * 1024;

/**
 * What runs of applications, on clusters that are engines of this platform. Whoever may see pods in the application's own namespace is
 * shown those of it, wherever the cluster has them; nobody needs rights on the cluster.
 */
export class Workloads {
  readonly #context: GraphqlContext;
  readonly #placements: DataLoader<string, PlacementDecision | undefined>;
  readonly #pods = new Map<string, DataLoader<string, readonly ObjectBody[]>>();

  constructor(context: GraphqlContext) {
    this.#context = context;
    this.#placements = new DataLoader((uids) => context.parts.placements(uids));
  }

  /** The pods of an application; those of several in one namespace are read at once. @throws TAP_REQUEST_FORBIDDEN */
  async podsOf(application: ObjectBody, releases: ExposedKind): Promise<readonly ObjectBody[]> {
    const asked = { verb: 'list', target: { kind: pods, namespace: namespaceOf(application) } };
    return this.#context.access.read(
      asked,
      () => this.#read(application, releases),
      () => found,
    );
  }

  /** Why a pod that was read here runs where it does; of several at once. */
  placementOf({ metadata: { uid } }: ObjectBody): Promise<PlacementDecision | undefined> {
    return this.#placements.load(uid);
  }

  /** The last lines of its pods, pod by pod; of pods that have begun, where there are some. @throws TAP_REQUEST_FORBIDDEN */
  async logOf(application: ObjectBody, releases: ExposedKind, query: LogQuery): Promise<readonly LogLine[]> {
    const read = async (): Promise<readonly LogLine[]> => {
      const lines: LogLine[] = [];
      for await (const line of this.#lines(application, releases, query, false)) lines.push(line);
      return lines.slice(-query.tail);
    };
    return this.#context.access.read(logOf(application), read, () => found);
  }

  /**
   * The lines of its pods as they come, after the last ones that there are, as long as the caller may see them. Pods that have not begun are
   * waited for.
   *
   * @throws TAP_REQUEST_FORBIDDEN
   */
  follow(application: ObjectBody, releases: ExposedKind, query: LogQuery): AsyncGenerator<LiveEvent, void, void> {
    const asked = logOf(application);
    return this.#context.access.follow(asked, ({ lost }) => this.#followed(lost, application, releases, query), this.#context);
  }

  async *#followed(
    lost: AbortSignal,
    application: ObjectBody,
    releases: ExposedKind,
    query: LogQuery,
  ): AsyncGenerator<LiveEvent, void, void> {
    for await (const value of untilAborted(this.#lines(application, releases, query, true), lost)) yield { value };
  }

  async *#lines(
    application: ObjectBody,
    releases: ExposedKind,
    { process, tail }: LogQuery,
    follows: boolean,
  ): AsyncGenerator<LogLine, void, void> {
    const place = await this.#placeOf(application, releases);
    const running = await this.#read(application, releases);
    const meant = running.filter((pod) => !process || pod.metadata.labels?.[componentLabel] === process);
    if (meant.length > outputsMax) {
      const message = `the output of ${meant.length} pods is asked for, at most ${outputsMax} are read at once; name a process of fewer pods`;
      throw graphqlErrors.TAP_GRAPHQL_TOO_COSTLY({ message });
    }
    if (meant.length === 0 && process) refuseUnknown(process, application);
    if (place === undefined || meant.length === 0) return;
    const query = { tailLines: String(tail) };
    if (follows) yield* mergedSources(meant.map((pod) => this.#logOnceBegun(place, pod, { ...query, follow: 'true' })));
    else yield* inTurn(readable(meant).map((pod) => this.#log(place, pod, query)));
  }

  async *#logOnceBegun(place: Place, pod: ObjectBody, query: Readonly<Record<string, string>>): AsyncGenerator<LogLine, void, void> {
    const { cluster, namespace } = place;
    const { parts, signal } = this.#context;
    const engine = parts.engines().get(cluster);
    if (isPending(pod) && engine && !(await untilBegun(engine, { namespace, name: pod.metadata.name }, signal))) return;
    yield* this.#log(place, pod, query);
  }

  async *#log(
    { cluster, namespace }: Place,
    pod: ObjectBody,
    query: Readonly<Record<string, string>>,
  ): AsyncGenerator<LogLine, void, void> {
    const { parts, caller, requestId, signal, remainingMs } = this.#context;
    const served = parts.subresources().find((each) => each.engine === cluster && each.plural === pods.plural && each.name === 'log');
    if (served === undefined) {
      throw graphqlErrors.TAP_GRAPHQL_ARGUMENT_INVALID({ message: `cluster ${cluster} does not show logs here; ask the cluster itself` });
    }
    const call: Call = { caller, requestId, signal, remainingMs };
    const { name } = pod.metadata;
    const request = { params: {}, query, headers: {}, body: new Uint8Array(), key: { namespace, name } };
    // A pod that has gone since it was listed has no output any more; those of the others count.
    const ask = async () => served.handle(request, call);
    const answer = await ask().catch(unlessGone);
    if (answer === undefined || answer.status >= 300) return;
    const process = pod.metadata.labels?.[componentLabel];
    const { body = '' } = answer;
    const chunks = typeof body === 'string' || body instanceof Uint8Array ? [body] : body;
    for await (const lines of textLines(chunks, lineCharactersMax)) for (const text of lines) yield { pod: name, process, text };
  }

  async #read(application: ObjectBody, releases: ExposedKind): Promise<readonly ObjectBody[]> {
    const place = await this.#placeOf(application, releases);
    if (place === undefined) return [];
    const id = `${place.cluster} ${place.namespace}`;
    const loader = this.#pods.get(id) ?? this.#loader(place);
    this.#pods.set(id, loader);
    return loader.load(application.metadata.name);
  }

  #loader({ cluster, namespace }: Place): DataLoader<string, readonly ObjectBody[]> {
    return new DataLoader(async (names) => {
      const engine = this.#context.parts.engines().get(cluster);
      if (engine === undefined) return names.map(() => []);
      const labelSelector = `${instanceLabel} in (${names.join(',')})`;
      const byName = new Map<string | undefined, ObjectBody[]>(names.map((name) => [name, []]));
      const query = { target: { kind: pods, namespace }, labelSelector, signal: this.#context.signal };
      for await (const page of wholeList(engine, query, podsBounds))
        for (const pod of page) byName.get(pod.metadata.labels?.[instanceLabel])?.push(pod);
      return names.map((name) => byName.get(name) ?? []);
    });
  }

  /** The release that serves tells the cluster. The namespace there follows from the application's own: nobody is asked about access to it. */
  async #placeOf({ metadata, ...rest }: ObjectBody, releases: ExposedKind): Promise<Place | undefined> {
    const name = valueAt(rest, ['status', 'release']);
    if (typeof name !== 'string') return undefined;
    const { namespace = '' } = metadata;
    const release = await this.#context.reader.load(releases.served, { namespace, name });
    const cluster = valueAt(release, ['spec', 'cluster']);
    if (typeof cluster !== 'string') return undefined;
    const there = this.#context.parts.clusterNamespace(cluster, namespace);
    return there === undefined ? undefined : { cluster, namespace: there };
  }
}

const found: AccessOutcome = { status: 200 };

function namespaceOf({ metadata: { namespace = '' } }: ObjectBody): string {
  return namespace;
}

function logOf(application: ObjectBody): AskedAccess {
  return { verb: 'get', target: { kind: pods, namespace: namespaceOf(application), subresource: 'log' } };
}

/** Silence would be taken for a process that writes nothing. @throws TAP_OBJECT_NOT_FOUND */
function refuseUnknown(process: string, application: ObjectBody): void {
  const processes = ((valueAt(application, ['spec', 'processes']) ?? []) as readonly { readonly name: string }[]).map(({ name }) => name);
  if (processes.includes(process)) return;
  const message = `applications "${application.metadata.name}" has no process "${process}"; it has ${processes.join(', ') || 'none'}`;
  throw objectErrors.TAP_OBJECT_NOT_FOUND({ message });
}

/** Where no pod has begun, all of them: the cluster says why there is no output. */
function readable(found: readonly ObjectBody[]): readonly ObjectBody[] {
  const begun = found.filter((pod) => !isPending(pod));
  return begun.length === 0 ? found : begun;
}

function unlessGone(error: unknown): undefined {
  if (isTapError(error) && error.spec.httpStatus === 404) return undefined;
  throw error;
}

async function* inTurn(sources: readonly AsyncIterable<LogLine>[]): AsyncGenerator<LogLine, void, void> {
  for (const source of sources) yield* source;
}
