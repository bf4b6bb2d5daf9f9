import type { AnyKind, Resources } from '@tappaas/sdk';

/** Reports the revision of every write to objects of `kind`, so that the key's next run waits until its cache has it. */
export function reportingWrites(resources: Resources, kind: AnyKind, wrote: (revision: string) => void): Resources {
  const isOurs = (written: AnyKind) => written.kind === kind.kind && written.group === kind.group;
  const reporting = async <T>(written: AnyKind, result: Promise<T>): Promise<T> => {
    const object = await result;
    const revision = (object as { metadata?: { resourceVersion?: string } } | undefined)?.metadata?.resourceVersion;
    if (revision !== undefined && isOurs(written)) wrote(revision);
    return object;
  };
  return {
    get: (of, key) => resources.get(of, key),
    list: (of, query) => resources.list(of, query),
    watch: (of, options) => resources.watch(of, options),
    create: (of, object) => reporting(of, resources.create(of, object)),
    apply: (of, key, fields) => reporting(of, resources.apply(of, key, fields)),
    patch: (of, key, patch, options) => reporting(of, resources.patch(of, key, patch, options)),
    delete: (of, key, preconditions) => resources.delete(of, key, preconditions),
  };
}
