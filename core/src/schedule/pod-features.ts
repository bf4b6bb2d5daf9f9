import type { Immutable, PodSpec } from '@tappaas/sdk';

/** What a pod may ask of a scheduler beyond what the kernel and pure node columns can answer. */
export type PodFeature = 'podAffinity' | 'podAntiAffinity' | 'topologySpread' | 'volumes' | 'resourceClaims' | 'schedulingGroup';

/**
 * The first hard requirement of `spec` that nobody here honours.
 *
 * Such a pod is refused by name instead of being placed as if it had not asked; whoever loads a tap that honours a feature says so.
 */
export function unsupportedFeature(spec: Immutable<PodSpec>, supports: ReadonlySet<PodFeature>): PodFeature | undefined {
  const { affinity, topologySpreadConstraints = [], volumes = [], resourceClaims = [], schedulingGroup } = spec;
  const asked: readonly (readonly [PodFeature, boolean])[] = [
    ['podAffinity', (affinity?.podAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []).length > 0],
    ['podAntiAffinity', (affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []).length > 0],
    ['topologySpread', topologySpreadConstraints.some(({ whenUnsatisfiable }) => whenUnsatisfiable === 'DoNotSchedule')],
    ['volumes', volumes.some((volume) => volume.persistentVolumeClaim !== undefined || volume.ephemeral !== undefined)],
    ['resourceClaims', resourceClaims.length > 0],
    ['schedulingGroup', schedulingGroup !== undefined],
  ];
  return asked.find(([feature, wanted]) => wanted && !supports.has(feature))?.[0];
}
