import { createHash } from 'node:crypto';
import type { ConfigMap, Immutable, KeyToPath, KubernetesSecret, Pod, Volume } from '@tappaas/sdk';
import { fieldOf } from '../pod/environment.js';
import type { VolumeFile } from './volume-files.js';

/** Objects that a pod's volumes and environment refer to, by name. */
export interface ReferredObjects {
  readonly configMaps: ReadonlyMap<string, Immutable<ConfigMap>>;
  readonly secrets: ReadonlyMap<string, Immutable<KubernetesSecret>>;
}

/** The content of a volume: files, an empty directory, or the reason why it is unavailable. */
export type VolumeContent =
  | { readonly is: 'files'; readonly files: readonly VolumeFile[]; readonly version: string }
  | { readonly is: 'directory' }
  | { readonly is: 'missing'; readonly message: string }
  | { readonly is: 'unsupported'; readonly message: string };

/** Determines the content of a pod's volume. */
export function volumeContent(volume: Immutable<Volume>, pod: Immutable<Pod>, objects: ReferredObjects): VolumeContent {
  if (volume.emptyDir) return { is: 'directory' };
  const sources = sourcesOf(volume);
  if (sources === undefined) {
    const sort = Object.keys(volume).find((key) => key !== 'name') ?? 'nothing';
    return {
      is: 'unsupported',
      message: `volume "${volume.name}" is ${sort}; pods here can have configMap, secret, projected, downwardAPI and emptyDir`,
    };
  }
  const files: VolumeFile[] = [];
  for (const source of sources.parts) {
    const found = filesOf(source, pod, objects, sources.mode);
    if (typeof found === 'string') return { is: 'missing', message: `volume "${volume.name}": ${found}` };
    files.push(...found);
  }
  const hash = createHash('sha256');
  for (const { path, content, mode } of files) hash.update(`${path}\0${mode}\0${content.length}\0`).update(content);
  return { is: 'files', files, version: hash.digest('hex').slice(0, 16) };
}

interface Named {
  readonly name?: string;
  readonly items?: readonly Immutable<KeyToPath>[];
  readonly optional?: boolean;
}
interface Part {
  readonly configMap?: Named;
  readonly secret?: Named;
  readonly downwardAPI?: {
    readonly items?: readonly { readonly path: string; readonly fieldRef?: { readonly fieldPath: string }; readonly mode?: number }[];
  };
}

function sourcesOf(volume: Immutable<Volume>): { readonly parts: readonly Part[]; readonly mode: number } | undefined {
  const { configMap, secret, projected, downwardAPI } = volume;
  if (configMap) return { parts: [{ configMap }], mode: configMap.defaultMode ?? 0o644 };
  if (secret) {
    const { secretName, ...rest } = secret;
    return {
      parts: [{ secret: { ...rest, ...(secretName === undefined ? {} : { name: secretName }) } }],
      mode: secret.defaultMode ?? 0o644,
    };
  }
  if (downwardAPI) return { parts: [{ downwardAPI }], mode: downwardAPI.defaultMode ?? 0o644 };
  const isServed = projected?.sources?.every((source) => source.configMap ?? source.secret ?? source.downwardAPI);
  return projected && isServed ? { parts: projected.sources ?? [], mode: projected.defaultMode ?? 0o644 } : undefined;
}

/** The files of one source, or a message about what is missing. */
function filesOf(part: Part, pod: Immutable<Pod>, objects: ReferredObjects, mode: number): readonly VolumeFile[] | string {
  if (part.downwardAPI) {
    return (part.downwardAPI.items ?? []).map((item) => ({
      path: item.path,
      content: Buffer.from(fieldOf(pod, item.fieldRef?.fieldPath ?? '') ?? ''),
      mode: item.mode ?? mode,
    }));
  }
  const named = part.configMap ?? part.secret ?? {};
  const entries = part.configMap
    ? configMapEntries(objects.configMaps.get(named.name ?? ''))
    : secretEntries(objects.secrets.get(named.name ?? ''));
  const sort = part.configMap ? 'config map' : 'secret';
  if (entries === undefined) return named.optional ? [] : `${sort} "${named.name ?? ''}" does not exist`;
  if (named.items === undefined) return Object.entries(entries).map(([path, content]) => ({ path, content, mode }));
  const files: VolumeFile[] = [];
  for (const { key, path, mode: own } of named.items) {
    const content = entries[key];
    if (content !== undefined) files.push({ path, content, mode: own ?? mode });
    else if (!named.optional) return `${sort} "${named.name ?? ''}" has no key "${key}"`;
  }
  return files;
}

function configMapEntries(map: Immutable<ConfigMap> | undefined): Readonly<Record<string, Uint8Array>> | undefined {
  if (map === undefined) return undefined;
  const text = Object.entries(map.data ?? {}).map(([key, value]) => [key, Buffer.from(value)] as const);
  const binary = Object.entries(map.binaryData ?? {}).map(([key, value]) => [key, Buffer.from(value, 'base64')] as const);
  return Object.fromEntries([...text, ...binary]);
}

const secretEntries = (secret: Immutable<KubernetesSecret> | undefined): Readonly<Record<string, Uint8Array>> | undefined =>
  secret && Object.fromEntries(Object.entries(secret.data ?? {}).map(([key, value]) => [key, Buffer.from(value, 'base64')]));

/** Names of all config maps and secrets that a pod refers to. */
export function referredNames(pod: Immutable<Pod>): { readonly configMaps: ReadonlySet<string>; readonly secrets: ReadonlySet<string> } {
  const configMaps = new Set<string>();
  const secrets = new Set<string>();
  const add = (to: Set<string>, name: string | undefined) => void (name !== undefined && to.add(name));
  for (const volume of pod.spec?.volumes ?? []) {
    for (const { configMap, secret } of sourcesOf(volume)?.parts ?? []) {
      add(configMaps, configMap?.name);
      add(secrets, secret?.name);
    }
  }
  for (const container of [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])]) {
    for (const { configMapRef, secretRef } of container.envFrom ?? []) {
      add(configMaps, configMapRef?.name);
      add(secrets, secretRef?.name);
    }
    for (const { valueFrom } of container.env ?? []) {
      add(configMaps, valueFrom?.configMapKeyRef?.name);
      add(secrets, valueFrom?.secretKeyRef?.name);
    }
  }
  return { configMaps, secrets };
}
