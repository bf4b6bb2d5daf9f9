// oxlint-disable-next-line import/no-unassigned-import -- tsyringe needs the polyfill before it is loaded
import 'reflect-metadata';
import { container, type DependencyContainer } from 'tsyringe';

/** The key under which a service with one provider stands. */
export const soleKey = '';

/**
 * Service instances behind typed tokens: symbols and `registerInstance` only. Who may own what, the order of making and of disposal are
 * the kernel's business: a container would silently let the last registration win.
 */
export class ServiceContainer {
  private readonly tokens: Map<string, Map<string, symbol>>;
  private readonly instances: DependencyContainer;
  private changed = 0;

  constructor(copied: readonly (readonly [service: string, key: string, value: object])[] = []) {
    this.tokens = new Map();
    this.instances = container.createChildContainer();
    for (const [service, key, value] of copied) this.put(service, key, value);
  }

  /** Grows with every change: as long as it does not, what was found is still there. */
  get changes(): number {
    return this.changed;
  }

  put(service: string, key: string, value: object): void {
    this.changed += 1;
    const keys = this.tokens.get(service) ?? new Map<string, symbol>();
    this.tokens.set(service, keys);
    const token = Symbol(`${service}/${key}`);
    keys.set(key, token);
    this.instances.registerInstance(token, value);
  }

  /** A token can not be unregistered, but one that nobody knows is never resolved. */
  remove(service: string, key: string): void {
    this.changed += 1;
    this.tokens.get(service)?.delete(key);
  }

  get(service: string, key: string): object | undefined {
    const token = this.tokens.get(service)?.get(key);
    return token === undefined ? undefined : this.instances.resolve<object>(token);
  }

  keys(service: string): readonly string[] {
    return [...(this.tokens.get(service)?.keys() ?? [])];
  }

  /** The same services but those for which `leaveOut` says so. */
  copyWithout(leaveOut: (value: object) => boolean): ServiceContainer {
    const kept = [...this.tokens].flatMap(([service, keys]) =>
      [...keys].flatMap(([key, token]) => {
        const value = this.instances.resolve<object>(token);
        return leaveOut(value) ? [] : [[service, key, value] as const];
      }),
    );
    return new ServiceContainer(kept);
  }
}
