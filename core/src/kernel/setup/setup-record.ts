import type { AnyKind, Awaitable, Context, Controller, EngineOptions, HookDeclaration, KindBehaviour, Route, Service } from '@tappaas/sdk';
import type { AnyTapOptions, TapFunction } from '../hooks/tap.js';
import type { AnyAction, AnyField, RegisteredColumn } from '../registrations.js';

export interface ProvidedService {
  readonly service: Service<unknown>;
  readonly make: (context: Context) => unknown;
  readonly dispose: ((service: unknown) => Awaitable<void>) | undefined;
}

export interface BackgroundTask {
  readonly name: string;
  readonly on: 'leader' | 'every-machine' | 'every-replica';
  readonly everyMs: number;
  run(context: Context): Promise<void>;
}

export type ConfigHandler = (next: unknown, previous: unknown) => Awaitable<'applied' | 'restart'>;

/** The registrations of one run of a plugin's `setup`, including functions. */
export interface SetupRecord {
  readonly taps: { readonly hook: HookDeclaration; readonly options: AnyTapOptions; readonly run: TapFunction }[];
  readonly provides: ProvidedService[];
  readonly kinds: { readonly kind: AnyKind; readonly behaviour?: KindBehaviour<AnyKind> }[];
  readonly controllers: Controller<AnyKind>[];
  readonly actions: AnyAction[];
  readonly fields: AnyField[];
  readonly routes: Route[];
  readonly engines: EngineOptions[];
  readonly columns: RegisteredColumn[];
  readonly tasks: BackgroundTask[];
  readonly counters: string[];
  readonly starts: ((context: Context) => Awaitable<void>)[];
  readonly stops: ((context: Context) => Awaitable<void>)[];
  readonly configs: ConfigHandler[];
}

export function emptyRecord(): SetupRecord {
  return {
    taps: [],
    provides: [],
    kinds: [],
    controllers: [],
    actions: [],
    fields: [],
    routes: [],
    engines: [],
    columns: [],
    tasks: [],
    counters: [],
    starts: [],
    stops: [],
    configs: [],
  };
}
