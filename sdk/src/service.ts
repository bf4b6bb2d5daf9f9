/**
 * A service that one plugin provides to others, exported from its `./contract` entry. All methods are asynchronous and take cloneable
 * values, so that either side may be isolated.
 */
export interface Service<T> {
  readonly id: string;
  readonly contract: number;
  /** `one`: a single provider; `keyed`: one per plugin instance, the key is the instance id. */
  readonly arity: 'one' | 'keyed';
  readonly optional: boolean;
  readonly '~type'?: T;
}

/** The service types behind a plugin's `needs`. A needed keyed service is the map of its providers by instance id. */
export type Given<N> = {
  readonly [P in keyof N]: N[P] extends KeyedService<infer T> ? ReadonlyMap<string, T> : N[P] extends Service<infer T> ? T : never;
};

/** A service with one provider per instance: a family. */
export interface KeyedService<T> extends Service<T> {
  readonly arity: 'keyed';
}

/** Declares a service that one plugin provides. Raise `contract` when a change breaks its users: a mismatch is refused while loading. */
export function defineService<T>(service: { id: string; contract: number }): Service<T> {
  return Object.freeze({ ...service, arity: 'one', optional: false });
}

/** Marks a needed service as optional: without a provider, the handle is undefined. */
export function optional<T>(service: Service<T>): Service<T | undefined> {
  return Object.freeze({ ...service, optional: true });
}

/** Declares a family: a service with one provider per instance, keyed by instance id. */
export function defineFamily<T>(service: { id: string; contract: number }): KeyedService<T> {
  return Object.freeze({ ...service, arity: 'keyed', optional: true });
}
