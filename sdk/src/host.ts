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

/** Where a plugin registers. Each method throws TAP_SETUP_CLOSED once `setup` has returned; the kernel undoes everything in reverse. */
export interface Host<C> {
  /** The instance id that the operator chose: a label of metrics, the field manager, and the key of provided services. */
  readonly id: string;
  /** Adds a tap to a hook. The kernel guards every call: attribution, deadline, failure policy, circuit breaker, metrics. */
  tap<S extends Shape, const O extends S['options']>(
    hook: Hook<S>,
    options: O & TapOptions,
    run: (input: For<S, O>['input'], context: S['context']) => For<S, O>['output'],
  ): void;
  /** Provides a service. `make` runs at start in graph order (10 s; for a store, which reads its data, 120 s), `dispose` at stop (5 s). */
  provide<T>(service: Service<T>, make: (context: Context) => Awaitable<NoInfer<T>>, dispose?: (service: T) => Awaitable<void>): void;
  /** Contributes a kind to the platform's engine. */
  kind<K extends AnyKind>(kind: K, behaviour?: KindBehaviour<K>): void;
  /** Reconciles a kind, or owns its base objects through a pure render. */
  controller<K extends AnyKind>(controller: Controller<K>): void;
  /** Adds a verb to a kind, beyond create, read, update and delete. */
  action<K extends AnyKind, I extends TObject, O extends TObject>(action: Action<K, I, O>): void;
  /** Adds a GraphQL field to a kind. */
  field<K extends AnyKind, A extends TObject, T extends TSchema>(field: Field<K, A, T>): void;
  /** Adds a raw route at `/plugins/{instance id}{path}`. */
  http(route: Route): void;
  /** Adds a resource engine, mounted under `/clusters/{name}`, with its own kinds, revisions, caches, discovery and garbage collector. */
  engine(options: EngineOptions): EngineHandle;
  /** Adds a number per node, computed when the node changes or `changed` is called, never during a decision. NaN rejects the node. */
  column(column: { name: string; unit: string; description: string; of(node: Immutable<Node>): number }): NodeColumn & { changed(): void };
  /**
   * Adds background work, restarted with back-off. `leader`: on one replica, fenced; `every-machine`: in one process of each machine. Use
   * it instead of timers, which escape the guard, the clock and the stop.
   */
  task(task: {
    name: string;
    on: 'leader' | 'every-machine' | 'every-replica';
    everyMs: number;
    run(context: Context): Promise<void>;
  }): void;
  /** Adds a counter to the metrics page; label sets beyond `seriesMax` are counted under `other`. */
  counter<L extends string = never>(metric: {
    name: `${string}_total`;
    help: string;
    labels?: readonly L[];
    seriesMax: number;
  }): (labels: Readonly<Record<L, string>>, by?: number) => void;
  /** Runs on every replica, after the providers it needs; 10 s. */
  onStart(run: (context: Context) => Awaitable<void>): void;
  /** Runs on every replica in reverse order; 5 s; also after a start that failed half-way. */
  onStop(run: (context: Context) => Awaitable<void>): void;
  /**
   * Optional. `applied`: the plugin has adopted `next` everywhere, and this generation continues. Absent or `restart`: a new generation.
   */
  onConfig(apply: (next: Immutable<C>, previous: Immutable<C>) => Awaitable<'applied' | 'restart'>): void;
}
