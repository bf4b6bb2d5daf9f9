import type { TObject, TSchema } from 'typebox';
import type { Action, Field } from './action.js';
import type { Context } from './context.js';
import type { Controller } from './controller.js';
import type { EngineHandle, EngineOptions } from './engine.js';
import type { For, Hook, Shape, TapOptions } from './hooks/shape.js';
import type { NodeColumn } from './hooks/scheduling.js';
import type { AnyKind, KindBehaviour } from './kinds.js';
import type { Node } from './kubernetes.js';
import type { Route } from './route.js';
import type { Service } from './service.js';
import type { Awaitable, Immutable } from './values.js';

/** Registration. Each verb throws TAP_SETUP_CLOSED once `setup` has returned; the kernel undoes everything in reverse. */
export interface Host<C> {
  /** The instance id the operator chose: labels metrics, is the field manager, and is the key of whatever is provided. */
  readonly id: string;
  /** Joins a hook. The kernel guards every call: attribution, deadline, failure policy, circuit breaker, metrics. */
  tap<S extends Shape, const O extends S['options']>(
    hook: Hook<S>,
    options: O & TapOptions,
    run: (input: For<S, O>['input'], context: S['context']) => For<S, O>['output'],
  ): void;
  /** Owns a service. `make` runs at start in graph order (10 s; that of a store, which reads what it holds, 120 s), `dispose` at stop (5 s). */
  provide<T>(service: Service<T>, make: (context: Context) => Awaitable<NoInfer<T>>, dispose?: (service: T) => Awaitable<void>): void;
  /** Contributes a kind to the platform's engine. */
  kind<K extends AnyKind>(kind: K, behaviour?: KindBehaviour<K>): void;
  /** Reconciles a kind, or owns its base objects through a pure render. */
  controller<K extends AnyKind>(controller: Controller<K>): void;
  /** A verb of a kind beyond create, read, update and delete. */
  action<K extends AnyKind, I extends TObject, O extends TObject>(action: Action<K, I, O>): void;
  /** A GraphQL field of a kind. */
  field<K extends AnyKind, A extends TObject, T extends TSchema>(field: Field<K, A, T>): void;
  /** A raw route at `/plugins/{instance id}{path}`. */
  http(route: Route): void;
  /** A further resource engine, mounted under `/clusters/{name}`: own kinds, revisions, caches, discovery and garbage collector. */
  engine(options: EngineOptions): EngineHandle;
  /** A number per node, computed when the node changes or `changed` is called, never during a decision. NaN rejects the node. */
  column(column: { name: string; unit: string; description: string; of(node: Immutable<Node>): number }): NodeColumn & { changed(): void };
  /** Background work, restarted with back-off. `leader`: one replica, fenced; `every-machine`: one of a machine's processes. Timers of your own escape guard, clock and stop. */
  task(task: {
    name: string;
    on: 'leader' | 'every-machine' | 'every-replica';
    everyMs: number;
    run(context: Context): Promise<void>;
  }): void;
  /** A counter on the metrics page; label sets beyond `seriesMax` are counted under `other`. */
  counter<L extends string = never>(metric: {
    name: `${string}_total`;
    help: string;
    labels?: readonly L[];
    seriesMax: number;
  }): (labels: Readonly<Record<L, string>>, by?: number) => void;
  /** Runs on every replica, after the providers it needs; 10 s. */
  onStart(run: (context: Context) => Promise<void>): void;
  /** Runs on every replica in reverse order; 5 s; also after a start that failed half-way. */
  onStop(run: (context: Context) => Promise<void>): void;
  /** Optional. `applied`: you took `next` over everywhere, this generation goes on. Absent or `restart`: a new generation. */
  onConfig(apply: (next: Immutable<C>, previous: Immutable<C>) => Awaitable<'applied' | 'restart'>): void;
}
