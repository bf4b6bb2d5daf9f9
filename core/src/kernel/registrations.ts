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

/** An action with any kind and schemas; the stage that decodes inputs ensures the types. */
export type AnyAction = Action<AnyKind, Type.TObject, Type.TObject>;
export type AnyField = Field<AnyKind, Type.TObject, Type.TSchema>;

/** A guarded function of a plugin other than a tap: the value of the metric's `hook` label, and its limits. */
export interface CallPoint {
  /** For example `controller.reconcile`. */
  readonly name: string;
  /** Default: no limit of its own. */
  readonly limitMs?: number;
  /** Whether repeated failures for which the plugin is at fault open a breaker. Default false. */
  readonly breaker?: boolean;
}

/** Runs a plugin's functions with attribution, timing and deadline. Errors are TapErrors that name the plugin. */
export interface PluginGuard {
  readonly plugin: string;
  call<T>(point: CallPoint, run: (context: Context) => T | Promise<T>, scope?: Scope): Promise<T>;
  /** For functions that must be synchronous, such as a kind's `check`. */
  callSync<T>(point: CallPoint, run: (context: Context) => T): T;
}

/** A registration of a plugin; its functions must be called through `guard` only. */
export interface Registered<T> {
  /** Instance id. */
  readonly plugin: string;
  readonly guard: PluginGuard;
  readonly value: T;
}

/** A column of the scheduler's node table; `onChanged` listeners are called by the plugin's `changed()`. */
export interface RegisteredColumn {
  readonly name: string;
  readonly unit: string;
  readonly description: string;
  of(node: Immutable<Node>): number;
  onChanged(listener: () => void): () => void;
}

/** A tap in a form for display. */
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

/** All registrations of the loaded plugins, in the order of their instances; a new object per generation. */
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
