import type {
  Action,
  AnyKind,
  ClusterConnection,
  Context,
  Controller,
  EngineOptions,
  Field,
  Immutable,
  KindBehaviour,
  Node,
  Route,
  Type,
} from '@tappaas/sdk';
import type { Scope } from './hooks/dispatch.js';

/** An action of whatever kind and schemas; the stage that decodes inputs knows what it hands over. */
export type AnyAction = Action<AnyKind, Type.TObject, Type.TObject>;
export type AnyField = Field<AnyKind, Type.TObject, Type.TSchema>;

/** A guarded place of a plugin besides its taps: names the metric's `hook` label, and how long it may take. */
export interface CallPoint {
  /** Such as `controller.reconcile`. */
  readonly name: string;
  /** Default: no limit of its own. */
  readonly limitMs?: number;
  /** Whether repeated failures of the plugin's own blame cut it off. Default false. */
  readonly breaker?: boolean;
}

/** Runs a plugin's function: attributed, timed, with a deadline. What it throws is a TapError that names the plugin. */
export interface PluginGuard {
  readonly plugin: string;
  call<T>(point: CallPoint, run: (context: Context) => T | Promise<T>, scope?: Scope): Promise<T>;
  /** For functions that must not await, such as a kind's `check`. */
  callSync<T>(point: CallPoint, run: (context: Context) => T): T;
}

/** Something a plugin registered, whose functions must only be called through `guard`. */
export interface Registered<T> {
  /** Instance id. */
  readonly plugin: string;
  readonly guard: PluginGuard;
  readonly value: T;
}

/** A column of the scheduler's node table; `onChanged` hears the plugin's `changed()`. */
export interface RegisteredColumn {
  readonly name: string;
  readonly unit: string;
  readonly description: string;
  of(node: Immutable<Node>): number;
  onChanged(listener: () => void): () => void;
}

/** A tap as people ask about it. */
export interface TapDescription {
  readonly hook: string;
  readonly plugin: string;
  /** `<instance>` or `<instance>/<tap name>`. */
  readonly name: string;
  readonly kinds: readonly string[];
  readonly mode: 'enforce' | 'shadow';
  readonly timeoutMs: number;
  readonly failurePolicy: 'fail' | 'ignore';
}

/** Everything the loaded plugins registered, in the order of their instances; a new object per generation. */
export interface Registrations {
  readonly kinds: readonly Registered<{ readonly kind: AnyKind; readonly behaviour?: KindBehaviour<AnyKind> }>[];
  readonly engines: readonly Registered<EngineOptions>[];
  readonly controllers: readonly Registered<Controller<AnyKind>>[];
  readonly actions: readonly Registered<AnyAction>[];
  readonly fields: readonly Registered<AnyField>[];
  readonly routes: readonly Registered<Route>[];
  readonly columns: readonly Registered<RegisteredColumn>[];
  readonly taps: readonly TapDescription[];
}

/** Gives a process of a plugin access to one of its engines; installed by the composition root once the API listens. */
export type ConnectEngine = (
  engine: string,
  user: { readonly name: string; readonly groups: readonly string[] },
) => Promise<ClusterConnection>;
