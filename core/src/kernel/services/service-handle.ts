import type { Service } from '@tappaas/sdk';
import { guardErrors } from '../errors.js';
import { runningFrame } from '../guard/identity.js';
import { GuardedService } from './guarded-service.js';
import { impureUse } from './impure-handle.js';
import { soleKey, type ServiceContainer } from './service-container.js';

/** Where a handle looks up services: in the running configuration, or in the one that a reload prepares. */
export interface ServiceView {
  readonly container: ServiceContainer;
}

/** Makes a live handle: every use looks up the current provider, so it follows reloads of the provider. */
export function serviceHandle(view: ServiceView, service: Service<unknown>, key = soleKey): object {
  const find = providerFinder(view, service, key);
  const provided = (): GuardedService => {
    refuseInSetup(service);
    const found = find();
    if (found !== undefined) return found;
    const named = key === soleKey ? service.id : `${service.id} of ${key}`;
    throw guardErrors.TAP_SERVICE_UNAVAILABLE({ message: `no plugin provides ${named} now` });
  };
  return new Proxy(Object.create(null) as object, {
    // A handle is never thenable, even without a provider, because an async function may return it.
    get: (_, member) => (member === 'then' ? undefined : provided().read(member)),
    has: (_, member) => member in provided().value,
    ownKeys: () => Reflect.ownKeys(provided().value),
    getOwnPropertyDescriptor(_, member) {
      const own = Reflect.getOwnPropertyDescriptor(provided().value, member);
      return own && { configurable: true, enumerable: own.enumerable ?? false, writable: false, value: provided().read(member) };
    },
    set: () => false,
    deleteProperty: () => false,
    defineProperty: () => false,
  });
}

/** Makes a lookup of the provider that is cached until the services change. */
function providerFinder(view: ServiceView, service: Service<unknown>, key: string): () => GuardedService | undefined {
  let [from, asOf]: [ServiceContainer | undefined, number] = [undefined, 0];
  let found: GuardedService | undefined;
  return () => {
    const { container } = view;
    if (container === from && container.changes === asOf) return found;
    const value = container.get(service.id, key);
    found = value instanceof GuardedService ? value : undefined;
    [from, asOf] = [container, container.changes];
    return found;
  };
}

/** Returns a family as a live map from instance id to handle. */
export function familyHandle(view: ServiceView, service: Service<unknown>): ReadonlyMap<string, unknown> {
  const handles = new Map<string, object>();
  const handleOf = (key: string): object => {
    const known = handles.get(key) ?? serviceHandle(view, service, key);
    handles.set(key, known);
    return known;
  };
  const keys = (): readonly string[] => {
    refuseInSetup(service);
    return view.container.keys(service.id);
  };
  const entries = (): MapIterator<[string, unknown]> => new Map(keys().map((key) => [key, handleOf(key)])).entries();
  return {
    get size() {
      return keys().length;
    },
    get: (key) => (keys().includes(key) ? handleOf(key) : undefined),
    has: (key) => keys().includes(key),
    keys: () => new Map(entries()).keys(),
    values: () => new Map(entries()).values(),
    entries,
    [Symbol.iterator]: entries,
    forEach(visit, self) {
      for (const [key, value] of entries()) visit.call(self, value, key, this);
    },
  };
}

function refuseInSetup(service: Service<unknown>): void {
  const frame = runningFrame();
  if (frame?.point === 'setup') throw impureUse(frame.plugin, `service ${service.id}`);
}
