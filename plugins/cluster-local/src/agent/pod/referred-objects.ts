import type { Immutable, Pod } from '@tappaas/sdk';
import { referredNames, type ReferredObjects } from '../volume/volume-content.js';
import type { PodApi } from './pod-context.js';

/** Reads the config maps and secrets that a pod refers to, leaving out missing ones. @throws while the platform is unavailable */
export async function readReferred(pod: Immutable<Pod>, api: PodApi): Promise<ReferredObjects> {
  const names = referredNames(pod);
  const namespace = pod.metadata.namespace ?? '';
  const [configMaps, secrets] = await Promise.all([
    readAll(names.configMaps, (name) => api.configMap(namespace, name)),
    readAll(names.secrets, (name) => api.secret(namespace, name)),
  ]);
  return { configMaps, secrets };
}

async function readAll<T extends object>(
  names: ReadonlySet<string>,
  read: (name: string) => Promise<T | undefined>,
): Promise<ReadonlyMap<string, T>> {
  const found = new Map<string, T>();
  await Promise.all(
    [...names].map(async (name) => {
      const object = await read(name);
      if (object !== undefined) found.set(name, object);
    }),
  );
  return found;
}
