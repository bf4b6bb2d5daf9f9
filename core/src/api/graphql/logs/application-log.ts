import { objectErrors } from '@tappaas/sdk';
import { timedLine, type LogEntry, type LogPlace } from '@tappaas/sdk/log';
import { MergedSources } from '../../watch/merged-sources.js';
import { untilAborted } from '../../watch/stream-pace.js';
import type { GraphqlContext } from '../context.js';
import type { LiveEvent } from '../live-events.js';
import { pathOf, valueAt, type ObjectBody } from '../object-reader.js';
import type { Followed } from '../recorded-access.js';
import type { ExposedKind } from '../schema/exposed-kinds.js';
import { FollowedPod } from './followed-pod.js';
import { LogCursor, type PodProgress } from './log-cursor.js';
import { logAccess, refuseUnknownProcess, type LogLine, type LogQuery } from './log-query.js';
import { objectStates, type ObjectNews } from './object-states.js';
import {
  componentLabel,
  instanceLabel,
  outputsMax,
  placeOf,
  pods,
  readPodLog,
  refuseTooManyPods,
  refuseUnknownCluster,
  type PodPlace,
} from './pod-log.js';

/** The kinds needed to find the output of an application. */
export interface LogKinds {
  readonly applications: ExposedKind;
  readonly releases: ExposedKind;
}

type News =
  | { readonly application: ObjectNews }
  | { readonly pods: ObjectNews; readonly at: Cluster }
  | { readonly pod: FollowedPod; readonly entry: LogEntry | undefined }
  | { readonly ended: FollowedPod };

/** The application's pods in one namespace of a cluster. */
interface Cluster {
  readonly place: PodPlace;
  readonly pods: Map<string, FollowedPod>;
  /** Pods that exist when the subscription begins start with their last lines, all others with the first line. */
  beginsWithTail: boolean;
  isListed: boolean;
}

/**
 * Follows the output of an application across its releases: of present and future pods, as long as the application or one of its pods
 * exists and the caller has access. Access is checked again before a line is sent.
 *
 * @throws TAP_REQUEST_FORBIDDEN, TAP_GRAPHQL_ARGUMENT_INVALID, TAP_GRAPHQL_TOO_COSTLY, TAP_GRAPHQL_CLUSTER_UNKNOWN, TAP_FLOW_FULL,
 *   TAP_OBJECT_NOT_FOUND at the end of the application
 */
export function followLog(
  application: ObjectBody,
  kinds: LogKinds,
  query: LogQuery,
  context: GraphqlContext,
): AsyncGenerator<LiveEvent, void, void> {
  return context.access.follow(
    logAccess(application),
    (followed) => new ApplicationLog(application, kinds, query, context).events(followed),
    context,
  );
}

class ApplicationLog {
  readonly #application: ObjectBody;
  readonly #kinds: LogKinds;
  readonly #query: LogQuery;
  readonly #context: GraphqlContext;
  readonly #merged = new MergedSources<News>();
  readonly #clusters = new Map<string, Cluster>();
  readonly #reading = new Set<FollowedPod>();
  readonly #cursor: LogCursor;
  readonly #progress: ReadonlyMap<string, PodProgress>;
  /** Whether there is no cursor to continue from, and the application has not been seen yet. */
  #isNew: boolean;
  #isDeleted = false;

  constructor(application: ObjectBody, kinds: LogKinds, query: LogQuery, context: GraphqlContext) {
    this.#application = application;
    this.#kinds = kinds;
    this.#query = query;
    this.#context = context;
    const { since, process } = query;
    const subject = `${application.metadata.uid} ${process ?? ''}`;
    const { cursor, progress } = since ? LogCursor.parse(since, subject) : { cursor: new LogCursor(subject), progress: new Map() };
    this.#cursor = cursor;
    this.#progress = progress;
    this.#isNew = !since;
  }

  async *events({ reauthorize, lost }: Followed): AsyncGenerator<LiveEvent, void, void> {
    const over = new AbortController();
    const signal = AbortSignal.any([this.#context.signal, lost, over.signal]);
    this.#merged.add(this.#applicationNews(signal));
    const { clock } = this.#context.parts;
    let authorizedAtMs = clock.nowMs();
    try {
      for await (const news of untilAborted(this.#merged.values(), signal)) {
        const line = 'pod' in news ? this.#lineOf(news.pod, news.entry) : undefined;
        if (line !== undefined) {
          // Lines come by the thousand: one access check covers all lines of the same millisecond.
          if (clock.nowMs() !== authorizedAtMs) await reauthorize();
          authorizedAtMs = clock.nowMs();
          lost.throwIfAborted();
          yield { value: line };
        } else await this.#hear(news, signal);
        this.#endWithApplication();
      }
    } finally {
      over.abort();
    }
  }

  #lineOf(pod: FollowedPod, entry: LogEntry | undefined): LogLine | undefined {
    if (entry === undefined) {
      this.#cursor.endTail(pod.id);
      return undefined;
    }
    if (entry.place !== undefined) this.#cursor.set(pod.id, entry.place);
    const { name, process } = pod;
    // The cursor is computed on demand, and always before the next line is read.
    return { pod: name, process, ...timedLine(entry.line), cursor: () => this.#cursor.toString() };
  }

  async #hear(news: News, signal: AbortSignal): Promise<void> {
    if ('application' in news) await this.#hearApplication(news.application, signal);
    else if ('pods' in news) this.#hearPods(news.pods, news.at, signal);
    else if ('ended' in news) {
      this.#reading.delete(news.ended);
      this.#forget(news.ended);
    }
  }

  async #hearApplication(news: ObjectNews, signal: AbortSignal): Promise<void> {
    const { uid, name, namespace = '' } = this.#application.metadata;
    const isOurs = (object: ObjectBody): boolean => object.metadata.uid === uid;
    const state = 'present' in news ? news.present.find(isOurs) : 'changed' in news && isOurs(news.changed) ? news.changed : undefined;
    if (state === undefined) this.#isDeleted = true;
    // The pods of the first release are new, even if its cluster becomes known only later: they start with their first line.
    const beginsWithTail = this.#isNew;
    this.#isNew = false;
    const release = valueAt(state, ['status', 'release']);
    const found =
      typeof release === 'string' ? await this.#context.reader.get(this.#kinds.releases.served, { namespace, name: release }) : undefined;
    const place = await placeOf(found, namespace, this.#context);
    if (place === 'none') {
      if (this.#clusters.size === 0) this.#refuseUnknownProcess();
      return;
    }
    if ('unknownCluster' in place) refuseUnknownCluster(place.unknownCluster, this.#application);
    const key = `${place.cluster} ${place.namespace}`;
    if (this.#clusters.has(key)) return;
    const at: Cluster = { place, pods: new Map(), beginsWithTail, isListed: false };
    this.#clusters.set(key, at);
    this.#merged.add(this.#podNews(at, name, signal));
  }

  #hearPods(news: ObjectNews, at: Cluster, signal: AbortSignal): void {
    if ('gone' in news) this.#leave(at.pods.get(news.gone));
    else if ('changed' in news) this.#see(news.changed, at, signal);
    else {
      const present = new Set(news.present.map(({ metadata }) => metadata.uid));
      for (const pod of at.pods.values()) if (!present.has(pod.uid)) this.#leave(pod);
      for (const pod of news.present) this.#see(pod, at, signal);
      if (!at.isListed && present.size === 0) this.#refuseUnknownProcess();
      if (!at.isListed) this.#dropUnknown();
      at.beginsWithTail = false;
      at.isListed = true;
    }
  }

  #see(object: ObjectBody, at: Cluster, signal: AbortSignal): void {
    const known = at.pods.get(object.metadata.uid);
    if (known !== undefined || this.#isDeleted) return known?.see(object);
    if (this.#followed().length >= outputsMax) refuseTooManyPods(`more than ${outputsMax}`);
    const pod = new FollowedPod(object);
    at.pods.set(pod.uid, pod);
    this.#reading.add(pod);
    const progress = this.#progress.get(pod.id);
    const isOld = at.beginsWithTail && pod.hasBegun;
    if (isOld) this.#cursor.set(pod.id, 'tail');
    const isTailDue = isOld || progress === 'tail';
    this.#merged.add(this.#linesOf(pod, at.place, signal, typeof progress === 'object' ? progress : undefined, isTailDue));
  }

  #refuseUnknownProcess(): void {
    const { process } = this.#query;
    if (process) refuseUnknownProcess(process, this.#application);
  }

  /** Removes pods that disappeared while the log was not followed; otherwise they would stay in the cursor forever. */
  #dropUnknown(): void {
    const ids = new Set(this.#followed().map(({ id }) => id));
    for (const id of this.#progress.keys()) if (!ids.has(id)) this.#cursor.drop(id);
  }

  #followed(): readonly FollowedPod[] {
    return [...this.#clusters.values()].flatMap(({ pods: known }) => [...known.values()]);
  }

  #leave(pod: FollowedPod | undefined): void {
    if (pod === undefined) return;
    pod.leave();
    this.#forget(pod);
  }

  /** Removes a pod from the cursor once it is gone and read to its end. */
  #forget(pod: FollowedPod): void {
    if (!pod.isGone || this.#reading.has(pod)) return;
    this.#cursor.drop(pod.id);
    for (const { pods: known } of this.#clusters.values()) known.delete(pod.uid);
  }

  /** @throws TAP_OBJECT_NOT_FOUND: if the stream just ended, clients would take it for a broken connection */
  #endWithApplication(): void {
    if (!this.#isDeleted || [...this.#clusters.values()].some(({ isListed, pods: { size } }) => !isListed || size > 0)) return;
    throw objectErrors.TAP_OBJECT_NOT_FOUND({ message: `applications "${this.#application.metadata.name}" was deleted` });
  }

  async *#applicationNews(signal: AbortSignal): AsyncGenerator<News, void, void> {
    const { parts } = this.#context;
    const { namespace = '', name } = this.#application.metadata;
    const query = { target: { kind: pathOf(this.#kinds.applications.served), namespace }, fieldSelector: `metadata.name=${name}` };
    const followed = { engine: parts.engine, query, max: Infinity, crowded: () => refuseTooManyPods('all') };
    for await (const application of objectStates(followed, { clock: parts.clock, signal })) yield { application };
  }

  async *#podNews(at: Cluster, name: string, signal: AbortSignal): AsyncGenerator<News, void, void> {
    const { parts } = this.#context;
    const { cluster, namespace } = at.place;
    const { process } = this.#query;
    const labelSelector = `${instanceLabel}=${name}${process ? `,${componentLabel}=${process}` : ''}`;
    const followed = {
      engine: () => parts.engines().get(cluster),
      query: { target: { kind: pods, namespace }, labelSelector },
      max: outputsMax,
      crowded: () => refuseTooManyPods(`more than ${outputsMax}`),
    };
    for await (const each of objectStates(followed, { clock: parts.clock, signal })) yield { pods: each, at };
  }

  async *#linesOf(
    pod: FollowedPod,
    place: PodPlace,
    signal: AbortSignal,
    from: LogPlace | undefined,
    isTailDue: boolean,
  ): AsyncGenerator<News, void, void> {
    const context = this.#context;
    const { parts, caller } = context;
    const read = async function* (query: Readonly<Record<string, string>>) {
      for await (const lines of readPodLog(context, place, pod.name, query, signal)) yield* lines;
    };
    const reading = { read, clock: parts.clock, signal };
    // The log of each pod is a stream like one of REST, so that no caller holds more of them by following whole applications.
    const seat = await parts.flow({ caller, engine: place.cluster, verb: 'get', stream: true, signal });
    try {
      for await (const entry of pod.lines(reading, from, isTailDue ? this.#query.tail : undefined)) yield { pod, entry };
    } finally {
      seat.release();
    }
    yield { ended: pod };
  }
}
