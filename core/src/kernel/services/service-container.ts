// oxlint-disable-next-line import/no-unassigned-import -- tsyringe needs the polyfill before it is loaded
import 'reflect-metadata';
import { container, type DependencyContainer } from 'tsyringe';

/** The key of a service with a single provider. */
export const soleKey = '';

/**
 * Holds service instances by typed tokens, using only symbols and `registerInstance`. Ownership, creation order and disposal are left to
 * the kernel, because a container would silently let the last registration win.
 */
export class ServiceContainer {
  readonly #tokens: Map<string, Map<string, symbol>>;
  readonly #instances: DependencyContainer;
  #changed = 0;

  constructor(copied: readonly (readonly [service: string, key: string, value: object])[] = []) {
    this.#tokens = new Map();
    this.#instances = container.createChildContainer();
    for (const [service, key, value] of copied) this.put(service, key, value);
  }

  /** Incremented with every change; while it is unchanged, cached lookups are valid. */
  get changes(): number {
    return this.#changed;
  }

  put(service: string, key: string, value: object): void {
    this.#changed += 1;
    const keys = this.#tokens.get(service) ?? new Map<string, symbol>();
    this.#tokens.set(service, keys);
    const token = Symbol(`${service}/${key}`);
    keys.set(key, token);
    this.#instances.registerInstance(token, value);
  }

  /** Removes a service. A token cannot be unregistered, but without an entry it is never resolved. */
  remove(service: string, key: string): void {
    this.#changed += 1;
    this.#tokens.get(service)?.delete(key);
  }

  get(service: string, key: string): object | undefined {
    const token = this.#tokens.get(service)?.get(key);
    return token === undefined ? undefined : this.#instances.resolve<object>(token);
  }

  keys(service: string): readonly string[] {
    return [...(this.#tokens.get(service)?.keys() ?? [])];
  }

  /** Copies the container without the services for which `leaveOut` returns true. */
  copyWithout(leaveOut: (value: object) => boolean): ServiceContainer {
    const kept = [...this.#tokens].flatMap(([service, keys]) =>
      [...keys].flatMap(([key, token]) => {
        const value = this.#instances.resolve<object>(token);
        return leaveOut(value) ? [] : [[service, key, value] as const];
      }),
    );
    return new ServiceContainer(kept);
  }
}
