import {
  secretCopiedFrom,
  secretCopiedVersion,
  type Immutable,
  type KubernetesObject,
  type KubernetesSecret,
  type Resources,
} from '@tappaas/sdk';
import type { ReleaseObject } from '@tappaas/sdk/kinds';
import { kubernetesHandle } from '@tappaas/sdk/kubernetes';
import { platformErrors } from '../errors.js';
import type { SecretRead } from '../sealing/secret-access.js';

const secrets = kubernetesHandle<KubernetesSecret>('', 'Secret');
const copyLabel = 'tappaas.dev/release-copy';

type Objects = readonly Immutable<KubernetesObject>[];
type Data = Readonly<Record<string, string>>;

/** Called before a value is passed on; throws to withhold it. */
type ReportRead = (read: Pick<SecretRead, 'namespace' | 'name' | 'version'>) => Promise<void>;

/** A Secret in the version that a release refers to. */
interface Reference {
  /** The namespace of the rendered object. */
  readonly namespace: string;
  readonly name: string;
  readonly version: string;
  /** Name of the copy, equal to that of the rendered object, which differs by version. */
  readonly copy: string;
}

/** The Secrets to keep for a release; data is undefined where the copy exists already. */
export type SecretsToKeep = readonly {
  readonly reference: Reference;
  readonly type: string | undefined;
  readonly data: Data | undefined;
}[];

/**
 * Parses a reference. The Secret is read with the platform's rights, so it must be in the rendered object's namespace. @throws
 * TAP_SECRET_FOREIGN
 */
function referenceOf({ kind, metadata }: Immutable<KubernetesObject>, ownNamespace: string): Reference | undefined {
  const from = metadata.annotations?.[secretCopiedFrom];
  if (kind !== 'Secret' || from === undefined || metadata.name === undefined) return undefined;
  const [namespace = '', name = ''] = from.split('/');
  if (namespace !== ownNamespace) {
    const message = `Secret ${metadata.name} is to be copied from ${from}, and what is rendered for namespace ${ownNamespace} is given Secrets of that namespace only`;
    throw platformErrors.TAP_SECRET_FOREIGN({ message });
  }
  return { namespace, name, version: metadata.annotations?.[secretCopiedVersion] ?? '', copy: metadata.name };
}

/**
 * Reads every Secret that objects rendered for `namespace` refer to, before a release is stored. @throws TAP_SECRET_CHANGED,
 * TAP_SECRET_FOREIGN
 */
export async function secretsToKeep(resources: Resources, namespace: string, objects: Objects, report: ReportRead): Promise<SecretsToKeep> {
  const references = objects.flatMap((object) => referenceOf(object, namespace) ?? []);
  return Promise.all(
    references.map(async (reference) => {
      if (await copyOf(resources, reference)) return { reference, type: undefined, data: undefined };
      const found = await originalOf(resources, reference);
      await report(reference);
      return { reference, type: found.type, data: found.data ?? {} };
    }),
  );
}

/**
 * Keeps an encrypted copy of each Secret as long as a release refers to it, so that an older release can be applied even if the original
 * has changed.
 * Releases that refer to the same version share one copy; the garbage collector removes it with the last of them.
 */
export async function keepSecrets(resources: Resources, release: Immutable<ReleaseObject>, kept: SecretsToKeep): Promise<void> {
  const { apiVersion, kind, metadata } = release;
  const owner = { apiVersion, kind, name: metadata.name, uid: metadata.uid };
  for (const { reference, type, data } of kept) {
    const { namespace, name, version, copy } = reference;
    const known = await copyOf(resources, reference);
    if (known) {
      const owners = known.metadata.ownerReferences ?? [];
      if (owners.some(({ uid }) => uid === owner.uid)) continue;
      const { resourceVersion } = known.metadata;
      await resources.patch(secrets, { namespace, name: copy }, { metadata: { ownerReferences: [...owners, owner], resourceVersion } });
    } else {
      const annotations = { [secretCopiedFrom]: `${namespace}/${name}`, [secretCopiedVersion]: version };
      const described = { name: copy, namespace, labels: { [copyLabel]: 'true' }, annotations, ownerReferences: [owner] };
      await resources.create(secrets, { metadata: described, immutable: true, ...(type === undefined ? {} : { type }), data: data ?? {} });
    }
  }
}

/**
 * Returns the data of the Secret that an object rendered for `namespace` refers to: from its copy, or from the original while that has the
 * version.
 *
 * @throws TAP_SECRET_CHANGED, TAP_SECRET_FOREIGN
 */
export async function referredData(
  resources: Resources,
  namespace: string,
  object: Immutable<KubernetesObject>,
  report: ReportRead,
): Promise<Data | undefined> {
  const reference = referenceOf(object, namespace);
  if (reference === undefined) return undefined;
  const found = (await copyOf(resources, reference)) ?? (await originalOf(resources, reference));
  await report(reference);
  return found.data ?? {};
}

async function copyOf(resources: Resources, { namespace, copy, version }: Reference): Promise<Immutable<KubernetesSecret> | undefined> {
  const found = await resources.get(secrets, { namespace, name: copy });
  return found?.metadata.labels?.[copyLabel] === 'true' && found.metadata.annotations?.[secretCopiedVersion] === version
    ? found
    : undefined;
}

async function originalOf(resources: Resources, { namespace, name, version }: Reference): Promise<Immutable<KubernetesSecret>> {
  const found = await resources.get(secrets, { namespace, name });
  if (found?.metadata.resourceVersion === version) return found;
  const what = found === undefined ? 'does not exist any more' : 'was changed meanwhile';
  throw platformErrors.TAP_SECRET_CHANGED({ message: `Secret ${namespace}/${name} ${what}` });
}
