import { isTapError } from '@tappaas/sdk';
import { timedLine } from '@tappaas/sdk/log';
import DataLoader from 'dataloader';
import type { AccessOutcome } from './audit-entry.js';
import type { GraphqlContext } from './context.js';
import { logAccess, refuseUnknownProcess, type LogLine, type LogQuery } from './logs/log-query.js';
import {
  hasBegun,
  instanceLabel,
  outputsMax,
  placeOf,
  pods,
  processOf,
  readPodLog,
  refuseUnknownCluster,
  refuseTooManyPods,
  type FoundPlace,
  type PodPlace,
} from './logs/pod-log.js';
import { valueAt, type ObjectBody } from './object-reader.js';
import type { PlacementDecision } from './ports.js';
import type { ExposedKind } from './schema/exposed-kinds.js';
import { wholeList } from './whole-list.js';

/** Maximum pods of all applications in one place: per page, and in all. */
const podsBounds = { pageMax: 1_000, max: 10_000 };

/**
 * Reads the pods of applications from the clusters that run them. Callers with access to pods in the application's own namespace see the
 * application's pods on any cluster; deliberately, no rights on the cluster are needed.
 */
export class Workloads {
  readonly #context: GraphqlContext;
  readonly #placements: DataLoader<string, PlacementDecision | undefined>;
  readonly #pods = new Map<string, DataLoader<string, readonly ObjectBody[]>>();

  constructor(context: GraphqlContext) {
    this.#context = context;
    this.#placements = new DataLoader((uids) => context.parts.placements(uids));
  }

  /** Returns the pods of an application; reads for several applications in one namespace are batched. @throws TAP_REQUEST_FORBIDDEN */
  async podsOf(application: ObjectBody, releases: ExposedKind): Promise<readonly ObjectBody[]> {
    const requested = { verb: 'list', target: { kind: pods, namespace: namespaceOf(application) } };
    return this.#context.access.read(
      requested,
      async () => this.#read(application, await this.#placeOf(application, releases)),
      () => found,
    );
  }

  /** Returns the scheduling decision about a pod; reads for several pods are batched. */
  placementOf({ metadata: { uid } }: ObjectBody): Promise<PlacementDecision | undefined> {
    return this.#placements.load(uid);
  }

  /** Returns the last lines of an application's pods, pod by pod; only of started pods if there are any. @throws TAP_REQUEST_FORBIDDEN, TAP_GRAPHQL_CLUSTER_UNKNOWN */
  async logOf(application: ObjectBody, releases: ExposedKind, query: LogQuery): Promise<readonly LogLine[]> {
    const read = async (): Promise<readonly LogLine[]> => {
      const lines: LogLine[] = [];
      for await (const line of this.#lines(application, releases, query)) lines.push(line);
      return lines.slice(-query.tail);
    };
    return this.#context.access.read(logAccess(application), read, () => found);
  }

  async *#lines(application: ObjectBody, releases: ExposedKind, { process, tail }: LogQuery): AsyncGenerator<LogLine, void, void> {
    const place = await this.#placeOf(application, releases);
    if (typeof place === 'object' && 'unknownCluster' in place) refuseUnknownCluster(place.unknownCluster, application);
    const running = await this.#read(application, place);
    const meant = running.filter((pod) => !process || processOf(pod) === process);
    if (meant.length > outputsMax) refuseTooManyPods(String(meant.length));
    if (meant.length === 0 && process) refuseUnknownProcess(process, application);
    if (place !== 'none') for (const pod of readable(meant)) yield* this.#log(place, pod, tail);
  }

  async *#log(place: PodPlace, pod: ObjectBody, tail: number): AsyncGenerator<LogLine, void, void> {
    const query = { tailLines: String(tail), timestamps: 'true' };
    const { name } = pod.metadata;
    const process = processOf(pod);
    try {
      for await (const lines of readPodLog(this.#context, place, name, query, this.#context.signal))
        for (const line of lines) yield { pod: name, process, ...timedLine(line) };
    } catch (error) {
      // A pod deleted since it was listed has no output; the others still count.
      if (!isTapError(error) || error.spec.httpStatus !== 404) throw error;
    }
  }

  async #read(application: ObjectBody, place: FoundPlace): Promise<readonly ObjectBody[]> {
    if (place === 'none' || 'unknownCluster' in place) return [];
    const id = `${place.cluster} ${place.namespace}`;
    const loader = this.#pods.get(id) ?? this.#loader(place);
    this.#pods.set(id, loader);
    return loader.load(application.metadata.name);
  }

  #loader({ cluster, namespace }: PodPlace): DataLoader<string, readonly ObjectBody[]> {
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

  /** Returns where the serving release runs. */
  async #placeOf({ metadata, ...rest }: ObjectBody, releases: ExposedKind): Promise<FoundPlace> {
    const name = valueAt(rest, ['status', 'release']);
    if (typeof name !== 'string') return 'none';
    const { namespace = '' } = metadata;
    return placeOf(await this.#context.reader.load(releases.served, { namespace, name }), namespace, this.#context);
  }
}

const found: AccessOutcome = { status: 200 };

function namespaceOf({ metadata: { namespace = '' } }: ObjectBody): string {
  return namespace;
}

/** Returns the started pods; if there are none, all of them, so that the cluster's error says why there is no output. */
function readable(all: readonly ObjectBody[]): readonly ObjectBody[] {
  const begun = all.filter(hasBegun);
  return begun.length === 0 ? all : begun;
}
