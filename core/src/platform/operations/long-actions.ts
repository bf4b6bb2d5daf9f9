import {
  type AnyKind,
  type Caller,
  type Clock,
  type Immutable,
  isTapError,
  type Key,
  type Logger,
  platformNamespace,
  type Resources,
} from '@tappaas/sdk';
import { Operation, type OperationObject } from '@tappaas/sdk/kinds';
import type { EngineObject } from '../engine-object.js';
import { keyReused } from '../../resources/idempotency-key.js';
import { platformErrors } from '../errors.js';
import type { OperationKey } from './operation-key.js';
import { hasEnded, OperationNotes } from './operation-notes.js';
import type { OperationEnd } from './operation-steps.js';

/** The context of an action that continues after its response. */
export interface LongRun {
  /** Aborts when the operation is cancelled, when it exceeds its time limit, and at stop. */
  readonly signal: AbortSignal;
  progress(step: string, percent: number): void;
}

/** An action to begin. */
export interface LongAction {
  readonly verb: string;
  readonly on: AnyKind;
  readonly target: Immutable<EngineObject>;
  readonly caller: Caller;
  readonly requestId: string;
  /** Begins at most once per key. */
  readonly once?: OperationKey;
  run(run: LongRun): Promise<object>;
}

/** Actions that take longer than a request, each with an Operation. */
export interface LongActions {
  /** Returns the Operation of an earlier request with the same key. @throws TAP_REQUEST_KEY_REUSED */
  begun(verb: string, target: Key, once: OperationKey): Promise<Immutable<OperationObject> | undefined>;
  /**
   * Begins an action and returns its Operation, which has been stored.
   *
   * @throws TAP_ACTIONS_TOO_MANY, TAP_REQUEST_KEY_REUSED
   */
  begin(action: LongAction): Promise<Immutable<OperationObject>>;
  /** Marks the operations of actions that a crash of this replica interrupted as failed, since they are not resumed. */
  closeInterrupted(): Promise<void>;
  /** Aborts running actions and waits until their operations say so. */
  stop(): Promise<void>;
}

/** Limits of one replica; a single namespace may use a fifth of the running actions. */
const longActionLimits = { runningMax: 100, perNamespaceMax: 20, runMsMax: 3_600_000 } as const;
const resultKeysMax = 64;
const resultCharactersMax = 1_024;
const followAgainMs = 1_000;
const openMax = 10_000;
/** Label of an action's Operation, naming the replica that runs it. */
export const replicaLabel = 'tappaas.dev/action-replica';
const digestAnnotation = 'tappaas.dev/request-digest';
/** Leaves room for verb and key in a name of at most 253 characters. */
const nameCharactersMax = 150;

export interface LongActionsOptions {
  readonly resources: Resources;
  readonly clock: Clock;
  readonly log: Logger;
  readonly replica: string;
}

export function createLongActions(options: LongActionsOptions): LongActions {
  return new Running(options);
}

interface Work {
  readonly namespace: string;
  readonly abort: AbortController;
  readonly ended: Promise<void>;
}

const reasons = {
  cancelled: 'it was cancelled',
  late: `it took longer than ${longActionLimits.runMsMax / 60_000} minutes`,
  stopped: 'the platform stopped while it ran',
} as const;

class Running implements LongActions {
  readonly #options: LongActionsOptions;
  /** By uid of the operation. */
  readonly #works = new Map<string, Work>();
  readonly #stopping = new AbortController();
  /** Namespaces of the actions that are being started. */
  #beginning: readonly string[] = [];
  #following: Promise<void> | undefined;

  constructor(options: LongActionsOptions) {
    this.#options = options;
  }

  async begun(
    verb: string,
    { namespace = platformNamespace, name }: Key,
    once: OperationKey,
  ): Promise<Immutable<OperationObject> | undefined> {
    const known = await this.#options.resources.get(Operation, { namespace, name: `${stemOf(name, verb)}${once.suffix}` });
    if (known !== undefined && known.metadata.annotations?.[digestAnnotation] !== once.digest) throw keyReused();
    return known;
  }

  async begin(action: LongAction): Promise<Immutable<OperationObject>> {
    const { namespace = platformNamespace } = action.target.metadata;
    this.#refuseTooMany(namespace);
    this.#beginning = [...this.#beginning, namespace];
    try {
      return await this.#begin(action, namespace);
    } catch (error) {
      const { once, verb, target } = action;
      // A concurrent request with the same key was faster, in this process or another.
      const known =
        once !== undefined && isTapError(error, 'TAP_OBJECT_EXISTS') ? await this.begun(verb, target.metadata, once) : undefined;
      if (known !== undefined) return known;
      throw error;
    } finally {
      this.#beginning = this.#beginning.toSpliced(this.#beginning.indexOf(namespace), 1);
    }
  }

  async #begin(action: LongAction, namespace: string): Promise<Immutable<OperationObject>> {
    const { resources, clock, log } = this.#options;
    const made = await resources.create(Operation, this.#operationOf(action, namespace));
    const key = { namespace, name: made.metadata.name };
    const notes = new OperationNotes({ resources, key, planned: [], clock });
    // The Operation is stored, so the action must run: otherwise a repeated request would return an operation that never runs.
    await notes.tell({}).catch((error: unknown) => log.warn('the begin of an operation was not stored', { verb: action.verb, error }));
    const abort = new AbortController();
    this.#works.set(made.metadata.uid, { namespace, abort, ended: this.#run(action, made.metadata.uid, notes, abort) });
    this.#following ??= this.#follow();
    const begun = await resources.get(Operation, key);
    // The Operation has been visible since its creation, so it may have been cancelled before there was any work to abort.
    if (begun === undefined || begun.spec.cancelled === true) abort.abort(reasons.cancelled);
    return begun ?? made;
  }

  async closeInterrupted(): Promise<void> {
    const { resources, clock, replica } = this.#options;
    for await (const operation of resources.list(Operation, { labels: `${replicaLabel}=${replica}`, itemsMax: openMax })) {
      if (hasEnded(operation) || this.#works.has(operation.metadata.uid)) continue;
      const notes = new OperationNotes({ resources, key: operation.metadata, planned: [], clock });
      await notes.tell({ end: { phase: 'Failed', message: 'the platform ended while it ran; begin it again if it is still wanted' } });
    }
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    for (const { abort } of this.#works.values()) abort.abort(reasons.stopped);
    await Promise.all([...this.#works.values()].map(({ ended }) => ended));
    await this.#following;
  }

  #refuseTooMany(namespace: string): void {
    const running = [...[...this.#works.values()].map((work) => work.namespace), ...this.#beginning];
    const { runningMax, perNamespaceMax } = longActionLimits;
    const own = running.filter((each) => each === namespace).length;
    if (!this.#stopping.signal.aborted && running.length < runningMax && own < perNamespaceMax) return;
    throw platformErrors.TAP_ACTIONS_TOO_MANY({
      message: `${own} actions run in namespace ${namespace}; at most ${perNamespaceMax} may, and ${runningMax} in all`,
      retryAfterMs: 5_000,
    });
  }

  #operationOf({ verb, on, target, requestId, once }: LongAction, namespace: string): object {
    const { name, uid, generation } = target.metadata;
    const { apiVersion } = target;
    const stem = stemOf(name, verb);
    return {
      metadata: {
        ...(once === undefined
          ? { generateName: stem }
          : { name: `${stem}${once.suffix}`, annotations: { [digestAnnotation]: once.digest } }),
        namespace,
        labels: { [replicaLabel]: this.#options.replica },
        ownerReferences: [{ apiVersion, kind: on.kind, name, uid, controller: true, blockOwnerDeletion: false }],
      },
      spec: { verb, target: { group: on.group, kind: on.kind, name, uid, ...(generation === undefined ? {} : { generation }) }, requestId },
    };
  }

  /** Runs an action; never rejects, because its operation records the result. */
  async #run(action: LongAction, uid: string, notes: OperationNotes, abort: AbortController): Promise<void> {
    const { clock, log } = this.#options;
    const done = new AbortController();
    void clock.sleep(longActionLimits.runMsMax, done.signal).then(
      () => abort.abort(reasons.late),
      () => undefined,
    );
    const progress = (step: string, percent: number): void =>
      void notes.progress(step, percent).catch((error: unknown) => log.debug('the progress of an operation was not stored', { error }));
    // The response to the request comes first.
    await Promise.resolve();
    const end = await action.run({ signal: abort.signal, progress }).then(
      (output): OperationEnd => ({ phase: 'Succeeded', message: '', result: resultOf(output) }),
      (error: unknown): OperationEnd => endOf(error, abort.signal),
    );
    done.abort();
    await notes.tell({ end }).catch((error: unknown) => log.warn('the end of an operation was not stored', { verb: action.verb, error }));
    this.#works.delete(uid);
  }

  /** Watches for cancelled operations until the stop. Never rejects. */
  async #follow(): Promise<void> {
    const { resources, clock, log } = this.#options;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        for await (const changes of resources.watch(Operation, { signal })) {
          for (const { type, object } of changes) {
            if (type === 'deleted' || object.spec.cancelled === true) this.#works.get(object.metadata.uid)?.abort.abort(reasons.cancelled);
          }
        }
      } catch (error) {
        if (signal.aborted) return;
        log.warn('operations are watched again', { error });
      }
      await clock.sleep(followAgainMs, signal).catch(() => undefined);
    }
  }
}

/** Prefix of the names of operations about an object. */
const stemOf = (name: string, verb: string): string => `${name.slice(0, nameCharactersMax)}-${verb}-`;

function endOf(error: unknown, { aborted, reason }: AbortSignal): OperationEnd {
  if (aborted) return { phase: reason === reasons.cancelled ? 'Cancelled' : 'Failed', message: String(reason) };
  return { phase: 'Failed', message: error instanceof Error ? error.message : String(error) };
}

/** Returns the result of an operation as strings by name; other values are converted to JSON. */
function resultOf(output: object): Readonly<Record<string, string>> {
  const entries = Object.entries(output).slice(0, resultKeysMax);
  const text = (value: unknown): string => (typeof value === 'string' ? value : (JSON.stringify(value) ?? ''));
  return Object.fromEntries(entries.map(([name, value]) => [name, text(value).slice(0, resultCharactersMax)]));
}
