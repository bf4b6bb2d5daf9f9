import { errorTable } from '@tappaas/sdk';
import type {
  EnginePort,
  KindPath,
  ListQuery,
  Served,
  ServedKind,
  Target,
  WatchEvent,
  WatchQuery,
  Write,
  WriteOptions,
  WriteResult,
} from '../../dist/ports/engine.js';

const errors = errorTable({
  TAP_OBJECT_NOT_FOUND: { httpStatus: 404, blame: 'caller', retry: 'never', remedy: 'Check the name.' },
  TAP_OBJECT_EXISTS: { httpStatus: 409, blame: 'caller', retry: 'never', remedy: 'Choose another name.' },
  TAP_STORE_COMPACTED: { httpStatus: 410, blame: 'caller', retry: 'never', remedy: 'List again.' },
});

export interface FakeEngine extends EnginePort {
  readonly writes: { readonly write: Write; readonly options: WriteOptions }[];
  readonly put: (namespace: string, name: string, data: Readonly<Record<string, string>>) => Served;
  /** Makes every watch fail with 410, as compaction does. */
  readonly compact: () => void;
  /** Runs in place of `get` and `write` when set. */
  intercept: ((verb: string, signal: () => AbortSignal) => Promise<void>) | undefined;
  readonly watchers: number;
}

export function configMaps(extra: Partial<ServedKind> = {}): ServedKind {
  return {
    group: '',
    version: 'v1',
    plural: 'configmaps',
    kind: 'ConfigMap',
    singular: 'configmap',
    scope: 'Namespaced',
    description: 'Configuration data.',
    shortNames: ['cm'],
    categories: [],
    verbs: ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'],
    subresources: [],
    schemaName: 'io.k8s.api.core.v1.ConfigMap',
    components: () => ({
      'io.k8s.api.core.v1.ConfigMap': {
        type: 'object',
        description: 'Configuration data.',
        properties: { data: { type: 'object', additionalProperties: { type: 'string' } } },
        'x-kubernetes-group-version-kind': [{ group: '', version: 'v1', kind: 'ConfigMap' }],
      },
    }),
    columns: [],
    strategicMerge: true,
    orphaned: false,
    ...extra,
  };
}

/** Enough of an engine to test what stands before it: objects in a map, one list of events, no rules. */
export function createFakeEngine(kinds: readonly ServedKind[] = [configMaps()]): FakeEngine {
  const objects = new Map<string, Served>();
  const events: WatchEvent[] = [];
  const wakers = new Set<() => void>();
  let revision = 100;
  let compacted = false;
  const keyOf = ({ kind, namespace, name }: Target): string => `${kind.plural}/${namespace ?? ''}/${name ?? ''}`;
  const tell = (type: WatchEvent['type'], served: Served): void => {
    events.push({ type, served });
    for (const wake of wakers) wake();
  };
  const serve = (key: string, object: Record<string, unknown>): Served => {
    revision += 1;
    const resourceVersion = String(revision);
    const stamped = { ...object, metadata: { ...(object['metadata'] as object), resourceVersion } };
    const served = { object: stamped, bytes: Buffer.from(JSON.stringify(stamped)), resourceVersion };
    tell(objects.has(key) ? 'MODIFIED' : 'ADDED', served);
    objects.set(key, served);
    return served;
  };
  const found = (target: Target): Served => {
    const served = objects.get(keyOf(target));
    if (served === undefined) throw errors.TAP_OBJECT_NOT_FOUND({ message: `${target.kind.plural} "${target.name}" not found` });
    return served;
  };
  const engine: FakeEngine = {
    name: 'platform',
    writes: [],
    intercept: undefined,
    get watchers() {
      return wakers.size;
    },
    kinds: () => kinds,
    find: (path: KindPath) =>
      kinds.find(({ group, version, plural }) => group === path.group && version === path.version && plural === path.plural),
    async get(target, options) {
      await engine.intercept?.('get', () => options.signal);
      return found(target);
    },
    async list({ target, limit, continueToken }: ListQuery) {
      const prefix = target.namespace === undefined ? `${target.kind.plural}/` : `${target.kind.plural}/${target.namespace}/`;
      const keys = [...objects.keys()]
        .filter((key) => key.startsWith(prefix) && (continueToken === undefined || key > continueToken))
        .sort();
      const page = limit ? keys.slice(0, limit) : keys;
      const last = page.at(-1);
      return {
        items: page.flatMap((key) => objects.get(key) ?? []),
        resourceVersion: String(revision),
        ...(page.length < keys.length && last !== undefined && { continueToken: last, remainingItemCount: keys.length - page.length }),
        tokenAfter: (index) => page[index] ?? '',
      };
    },
    async getMany(kind, keys) {
      return keys.map(({ namespace = '', name }) => objects.get(`${kind.plural}/${namespace}/${name}`));
    },
    async *watch({ resourceVersion, sendInitialEvents, signal }: WatchQuery) {
      if (compacted) throw errors.TAP_STORE_COMPACTED({ message: 'the resourceVersion is too old' });
      let wake = (): void => {};
      const waker = (): void => wake();
      wakers.add(waker);
      signal.addEventListener('abort', waker);
      try {
        const isFromNow = resourceVersion === undefined || resourceVersion === '0';
        const behind = isFromNow ? revision : Number(resourceVersion);
        let position = events.findIndex(({ served }) => Number(served.resourceVersion) > behind);
        if (position < 0) position = events.length;
        if (sendInitialEvents ?? isFromNow) {
          position = events.length;
          const isLast = (index: number): boolean => index === objects.size - 1;
          yield [...objects.values()].map((served, index): WatchEvent => ({
            type: 'ADDED',
            served,
            initial: isLast(index) ? { reached: String(revision) } : {},
          }));
        }
        while (!signal.aborted) {
          if (compacted) throw errors.TAP_STORE_COMPACTED({ message: 'the resourceVersion is too old' });
          const batch = events.slice(position);
          position = events.length;
          if (batch.length > 0) yield batch;
          else await new Promise<void>((resolve) => void (wake = resolve));
        }
        throw signal.reason;
      } finally {
        wakers.delete(waker);
      }
    },
    async write(write: Write, options: WriteOptions): Promise<WriteResult> {
      engine.writes.push({ write, options });
      await engine.intercept?.(write.verb, () => options.signal);
      if (write.verb === 'delete' || write.verb === 'deletecollection') {
        const served = found(write.target);
        objects.delete(keyOf(write.target));
        revision += 1;
        tell('DELETED', { ...served, resourceVersion: String(revision) });
        return { outcome: 'deleted', served, warnings: [] };
      }
      const body = write.verb === 'patch' ? {} : (JSON.parse(Buffer.from(write.body).toString()) as Record<string, unknown>);
      const name = write.target.name ?? (body['metadata'] as { name: string }).name;
      const target = { ...write.target, name };
      const exists = objects.has(keyOf(target));
      if (write.verb === 'create' && exists) throw errors.TAP_OBJECT_EXISTS({ message: `configmaps "${name}" already exists` });
      const base = exists ? (found(target).object as Record<string, unknown>) : {};
      const object = { apiVersion: 'v1', kind: 'ConfigMap', ...base, ...body };
      return { outcome: exists ? 'updated' : 'created', served: serve(keyOf(target), object), warnings: [] };
    },
    put: (namespace, name, data) => {
      const target = { kind: { group: '', version: 'v1', plural: 'configmaps' }, namespace, name };
      return serve(keyOf(target), { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace, uid: `uid-${name}` }, data });
    },
    compact: () => {
      compacted = true;
      for (const wake of wakers) wake();
    },
  };
  return engine;
}
