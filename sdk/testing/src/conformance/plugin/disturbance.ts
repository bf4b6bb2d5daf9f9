import type { Resources } from '@tappaas/sdk';

/** One call of a plugin on its resources. */
export interface ResourceCall {
  readonly verb: 'get' | 'list' | 'watch' | 'create' | 'apply' | 'patch' | 'delete';
  readonly plugin: string;
  readonly engine: string;
}

export const isWrite = ({ verb }: ResourceCall): boolean => !['get', 'list', 'watch'].includes(verb);

/** Wraps every call: runs it, or does something else instead. */
export type Around = <T>(call: ResourceCall, run: () => Promise<T>) => Promise<T>;

type Wrap = (resources: Resources, plugin: string, engine: string) => Resources;

/** Resources whose calls all pass through `around`; a list passes once, before its first object. */
export function disturbed(around: Around): Wrap {
  return (resources, plugin, engine) => {
    const call = <T>(verb: ResourceCall['verb'], run: () => Promise<T>): Promise<T> => around({ verb, plugin, engine }, run);
    return {
      get: (kind, key) => call('get', () => resources.get(kind, key)),
      async *list(kind, query) {
        yield* await call('list', async () => resources.list(kind, query));
      },
      async *watch(kind, options) {
        yield* await call('watch', async () => resources.watch(kind, options));
      },
      create: (kind, object) => call('create', () => resources.create(kind, object)),
      apply: (kind, key, fields) => call('apply', () => resources.apply(kind, key, fields)),
      patch: (kind, key, patch, options) => call('patch', () => resources.patch(kind, key, patch, options)),
      delete: (kind, key, preconditions) => call('delete', () => resources.delete(kind, key, preconditions)),
    };
  };
}

/** Calls that never return until the signal aborts, and then fail. */
export function hanging(over: AbortSignal): Wrap {
  return disturbed(
    () =>
      new Promise((_, reject) => {
        if (over.aborted) reject(over.reason as Error);
        over.addEventListener('abort', () => reject(over.reason as Error), { once: true });
      }),
  );
}
