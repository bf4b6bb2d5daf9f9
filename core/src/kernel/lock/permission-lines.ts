import type { ManifestPermissions } from '../manifest/manifest.js';

/** Permissions as lines that a person can read and that can be compared one by one. */
export function permissionLines(permissions: ManifestPermissions): readonly string[] {
  const { resources = [], cluster = [], secrets = [], files = [], network = [] } = permissions;
  const lines = [
    ...resources.flatMap(({ kind, verbs }) => verbs.map((verb) => `resources: ${verb} ${kind}`)),
    ...cluster.flatMap(({ apiGroups, resources, verbs }) =>
      apiGroups.flatMap((group) => resources.flatMap((resource) => verbs.map((verb) => `cluster: ${verb} ${group}/${resource}`))),
    ),
    ...secrets.map((secret) => `secrets: ${secret}`),
    ...files.map((file) => `files: ${file}`),
    ...network.map((target) => `network: ${typeof target === 'string' ? target : `as configured at ${target.fromConfig}`}`),
  ];
  return [...new Set(lines)].toSorted();
}
