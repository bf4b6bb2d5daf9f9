import type { ManifestPermissions } from '../manifest/manifest.js';

/** Formats permissions as readable lines that can be compared one by one. */
export function permissionLines(permissions: ManifestPermissions): readonly string[] {
  const { resources = [], cluster = [], secrets = [], identity = {}, files = [], network = [] } = permissions;
  const lines = [
    ...resources.flatMap(({ kind, verbs }) => verbs.map((verb) => `resources: ${verb} ${kind}`)),
    ...cluster.flatMap(({ apiGroups, resources, verbs }) =>
      apiGroups.flatMap((group) => resources.flatMap((resource) => verbs.map((verb) => `cluster: ${verb} ${group}/${resource}`))),
    ),
    ...secrets.map((secret) => `secrets: ${secret}`),
    ...(identity.signs ? ['identity: signs tokens of the platform'] : []),
    ...(identity.users ?? []).map((user) => `identity: names users ${user}`),
    ...(identity.groups ?? []).map((group) => `identity: names groups ${group}`),
    ...files.map((file) => `files: ${file}`),
    ...network.map((target) => `network: ${typeof target === 'string' ? target : `as configured at ${target.fromConfig}`}`),
  ];
  return [...new Set(lines)].toSorted();
}
