import { isTapError, type Resources } from '@tappaas/sdk';
import { Release, type ReleaseObject } from '@tappaas/sdk/kinds';
import type { Immutable, KubernetesObject, OwnerReference } from '@tappaas/sdk';
import type { Run } from '../../reconcile/controller.js';
import { canonicalJson } from '../../reconcile/canonical.js';
import { contentDigest, type ReleaseBook, type ReleaseContent, type StoredRelease } from '../../reconcile/release.js';
import type { EngineObject } from '../engine-object.js';
import type { ObjectEvent } from '../controllers/reconcile-context.js';
import { keepSecrets, secretsToKeep } from './release-secrets.js';
import { releaseEvent } from './rendering-events.js';
import type { ReportSecretRead } from '../sealing/secret-access.js';
import type { RenderingRecords } from './rendering-records.js';

const releasesMax = 10_000;
/** Maximum number of other objects whose numbers are skipped. */
const triesMax = 10;

type Owner = Immutable<EngineObject>;
interface ReleaseBody {
  readonly metadata: { readonly name: string; readonly namespace: string; readonly ownerReferences: readonly OwnerReference[] };
  readonly spec: Immutable<ReleaseObject>['spec'];
}

export interface ReleaseBookOptions {
  readonly records: RenderingRecords;
  readonly resources: Resources;
  /** Returns the version of a plugin, by instance. */
  readonly versionOf: (plugin: string) => string;
  readonly reportSecretRead: ReportSecretRead;
  /** Emits an event about a new release. */
  readonly tell: (owner: Owner, event: ObjectEvent) => void;
}

/** Stores releases as objects of kind Release, owned by the rendered object. */
export function createReleaseBook(options: ReleaseBookOptions): ReleaseBook<Owner, Run> {
  const { records, resources } = options;
  const find = async (owner: Owner, name: string): Promise<StoredRelease | undefined> => {
    const found = await resources.get(Release, { namespace: owner.metadata.namespace ?? '', name });
    return found && found.spec.of.uid === owner.metadata.uid && isWhole(found) ? storedRelease(found) : undefined;
  };
  return {
    async newest(owner) {
      const known = await records.of(owner).load();
      if (known?.release === undefined || known.renderKey === undefined) return undefined;
      const release = await find(owner, known.release);
      return release && { release, renderKey: known.renderKey };
    },
    async store(owner, content, renderKey, { signal }) {
      const release = await releaseOf(options, owner, content, signal);
      const record = records.of(owner);
      // With another effective spec, a release that failed before may be retried.
      const { failed: _, ...known } = (await record.load()) ?? {};
      const next = { ...known, release: release.name, renderKey };
      // The first release has nothing on a cluster yet: its record is written with the inventory, before anything is applied.
      if (known.release === undefined) record.saveLater(next);
      else await record.save(next);
      return release;
    },
    async pinned(owner) {
      const { pin } = (owner.spec ?? {}) as { pin?: string };
      return pin === undefined || pin === '' ? undefined : { name: pin, release: await find(owner, pin) };
    },
    async serving(owner) {
      const known = (await records.of(owner).load())?.serving;
      const release = known && (await find(owner, known.release));
      return known && release && { release, inputs: known.inputs };
    },
    async noteServing(owner, { release, inputs }) {
      const record = records.of(owner);
      const known = await record.load();
      const serving = { release: release.name, inputs };
      // Before the record, so that it is repeated after a crash in between.
      const before = known?.serving?.release;
      const gone = before === undefined || before === release.name ? undefined : await find(owner, before);
      await Promise.all([reportPhase(resources, owner, gone, 'Superseded'), reportPhase(resources, owner, release, 'Serving')]);
      if (canonicalJson(known?.serving) !== canonicalJson(serving)) await record.save({ ...known, serving });
    },
    async failureOf(owner, { name }) {
      const failed = (await records.of(owner).load())?.failed;
      return failed?.release === name ? failed.message : undefined;
    },
    async noteFailure(owner, { name }, message) {
      const record = records.of(owner);
      await record.save({ ...(await record.load()), failed: { release: name, message } });
    },
    noteRefused: (owner, release) => reportPhase(resources, owner, release, 'Failed'),
  };
}

/** Leaves room for a number in the name of a release; what precedes the number must not end in a dot. */
const truncated = (name: string): string => name.slice(0, 240).replace(/\.$/, '');

/** Returns the release with that content: an earlier one with the same digest, or a new one with the next number. */
async function releaseOf(
  { resources, versionOf, reportSecretRead, tell }: ReleaseBookOptions,
  owner: Owner,
  content: ReleaseContent,
  signal: AbortSignal,
): Promise<StoredRelease> {
  const { name, namespace = '', uid, generation = 1 } = owner.metadata;
  const purpose = `kept for a release of ${owner.kind} ${namespace}/${name}`;
  const kept = await secretsToKeep(resources, namespace, content.objects, (read) => reportSecretRead({ ...read, purpose, signal }));
  let last = 0;
  for await (const release of resources.list(Release, { namespace, fields: `spec.of.uid=${uid}`, itemsMax: releasesMax })) {
    if (release.spec.digest === content.digest && isWhole(release)) {
      // The run that created it may have ended before its secrets were stored.
      await keepSecrets(resources, release, kept);
      return storedRelease(release);
    }
    last = Math.max(last, release.spec.number);
  }
  const { apiVersion, kind } = owner;
  const of = { group: apiVersion.split('/').at(-2) ?? '', kind, name, uid };
  const made = await createNext(resources, last, (number) => ({
    metadata: {
      name: `${truncated(name)}-${number}`,
      namespace,
      ownerReferences: [{ apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: false }],
    },
    spec: {
      of,
      number,
      digest: content.digest,
      cluster: content.cluster,
      generation,
      images: imagesIn(content.objects),
      objects: content.objects,
      plugins: Object.fromEntries(content.plugins.map((plugin) => [plugin, versionOf(plugin)])),
    },
  }));
  await keepSecrets(resources, made, kept);
  tell(owner, releaseEvent(made.metadata.name, content.cluster, made.spec.images));
  return storedRelease(made);
}

/**
 * Creates the release after number `last`. Names of releases do not contain the kind, and truncate long names: the numbers that another
 * object has used are skipped. Those of a former object of this name are not: its releases are about to be deleted.
 */
async function createNext(resources: Resources, last: number, bodyOf: (number: number) => ReleaseBody): Promise<Immutable<ReleaseObject>> {
  let number = last + 1;
  for (let tries = 1; ; tries += 1) {
    const { metadata, spec } = bodyOf(number);
    const { namespace, name } = metadata;
    try {
      return await resources.create(Release, { metadata, spec });
    } catch (error) {
      const taken = isTapError(error, 'TAP_OBJECT_EXISTS') ? await resources.get(Release, { namespace, name }) : undefined;
      if (taken === undefined) throw error;
      const { of } = taken.spec;
      if (of.uid === spec.of.uid && taken.spec.digest === spec.digest && isWhole(taken)) return taken;
      const isOfSameName = of.kind === spec.of.kind && of.group === spec.of.group && of.name === spec.of.name;
      if (isOfSameName || tries === triesMax) throw error;
      for await (const release of resources.list(Release, { namespace, fields: `spec.of.uid=${of.uid}`, itemsMax: releasesMax }))
        number = Math.max(number, release.spec.number);
      number += 1;
    }
  }
}

/** Sets the phase with one write per change. A deleted release is ignored. */
async function reportPhase(
  resources: Resources,
  { metadata: { namespace = '' } }: Owner,
  release: StoredRelease | undefined,
  phase: 'Serving' | 'Superseded' | 'Failed',
): Promise<void> {
  if (release === undefined || release.phase === phase) return;
  try {
    await resources.patch(Release, { namespace, name: release.name }, { status: { phase } }, { subresource: 'status' });
  } catch (error) {
    if (!isTapError(error, 'TAP_OBJECT_NOT_FOUND')) throw error;
  }
}

/** Specs with a verified digest. They are frozen, and the cache returns the same object again. */
const whole = new WeakSet<object>();

/** Verifies the digest of a release, so that it cannot stand for objects that were never rendered. */
function isWhole({ spec }: Immutable<ReleaseObject>): boolean {
  if (whole.has(spec)) return true;
  const isSo = contentDigest(spec.cluster, spec.objects as StoredRelease['objects']) === spec.digest;
  if (isSo) whole.add(spec);
  return isSo;
}

function storedRelease({ metadata, spec, status }: Immutable<ReleaseObject>): StoredRelease {
  const objects = spec.objects as StoredRelease['objects'];
  return { name: metadata.name, number: spec.number, objects, ...(status?.phase === undefined ? {} : { phase: status.phase }) };
}

/** Returns the image of each container by name. */
function imagesIn(objects: readonly Immutable<KubernetesObject>[]): Readonly<Record<string, string>> {
  const templates = objects.flatMap(
    (object) =>
      (object as { spec?: { template?: { spec?: { containers?: readonly { name: string; image?: string }[] } } } }).spec?.template?.spec
        ?.containers ?? [],
  );
  return Object.fromEntries(templates.flatMap(({ name, image }) => (image ? [[name, image]] : [])));
}
