import type { KeyedService, Service } from '@tappaas/sdk';
import type { PluginScope } from '../guard/plugin-scope.js';
import { GuardedService } from './guarded-service.js';
import { ServiceContainer, soleKey } from './service-container.js';
import { familyHandle, serviceHandle, type ServiceView } from './service-handle.js';

/** A view that can be redirected permanently: that of a reload follows the live one once it has been committed. */
class FollowingView implements ServiceView {
  #own: ServiceContainer | FollowingView;

  constructor(own: ServiceContainer) {
    this.#own = own;
  }

  get container(): ServiceContainer {
    return this.#own instanceof FollowingView ? this.#own.container : this.#own;
  }

  become(next: ServiceContainer | FollowingView): void {
    this.#own = next;
  }
}

/** The services of a configuration that is not in force yet. */
export interface ServiceDraft {
  readonly view: ServiceView;
  put(service: Service<unknown>, instance: string, provided: GuardedService): void;
  /** Commits the draft: handles of running plugins use the new providers from now on. */
  commit(): void;
}

/** The current providers of services. */
export class ServiceRegistry {
  readonly #live = new FollowingView(new ServiceContainer());
  readonly #waiters = new Map<string, ((key: string) => void)[]>();

  get view(): ServiceView {
    return this.#live;
  }

  /** Makes a draft with the services of the running plugins except those of `leaving`; new services are added to it. */
  draft(leaving: ReadonlySet<PluginScope>): ServiceDraft {
    const isLeaving = (value: object): boolean => value instanceof GuardedService && leaving.has(value.provider);
    const container = this.#live.container.copyWithout(isLeaving);
    const view = new FollowingView(container);
    return {
      view,
      put: (service, instance, provided) => container.put(service.id, keyOf(service, instance), provided),
      commit: () => {
        this.#live.become(container);
        view.become(this.#live);
        for (const id of this.#waiters.keys()) this.#wake(id);
      },
    };
  }

  put(service: Service<unknown>, instance: string, provided: GuardedService): void {
    this.#live.container.put(service.id, keyOf(service, instance), provided);
    this.#wake(service.id);
  }

  /** Removes a service of `provider`, unless another instance has replaced it. */
  removeOf(service: Service<unknown>, provider: PluginScope): void {
    const key = keyOf(service, provider.id);
    const provided = this.#live.container.get(service.id, key);
    if (provided instanceof GuardedService && provided.provider === provider) this.#live.container.remove(service.id, key);
  }

  family<T>(family: KeyedService<T>): ReadonlyMap<string, T> {
    return familyHandle(this.#live, family) as ReadonlyMap<string, T>;
  }

  provided<T>(service: Service<T>): T | undefined {
    const found = this.#firstKey(service.id);
    return found === undefined ? undefined : (serviceHandle(this.#live, service, found) as T);
  }

  whenProvided<T>(service: Service<T>): Promise<T> {
    const found = this.provided(service);
    if (found !== undefined) return Promise.resolve(found);
    return new Promise((resolve) => {
      const waiting = this.#waiters.get(service.id) ?? [];
      this.#waiters.set(service.id, waiting);
      waiting.push((key) => resolve(serviceHandle(this.#live, service, key) as T));
    });
  }

  #firstKey(service: string): string | undefined {
    return this.#live.container.keys(service)[0];
  }

  #wake(service: string): void {
    const key = this.#firstKey(service);
    if (key === undefined) return;
    for (const wake of this.#waiters.get(service)?.splice(0) ?? []) wake(key);
  }
}

const keyOf = (service: Service<unknown>, instance: string): string => (service.arity === 'keyed' ? instance : soleKey);
