import type { Immutable, PodSpec } from '@tappaas/sdk';

/** Requirements of a pod beyond what the kernel and pure node columns can evaluate. */
export type PodFeature = 'podAffinity' | 'podAntiAffinity' | 'topologySpread' | 'volumes' | 'resourceClaims' | 'schedulingGroup';

/**
 * Returns the first hard requirement of `spec` that is not supported.
 *
 * Such a pod is refused, and the requirement named, instead of being placed as if it had none. `supports` lists features of loaded taps.
 */
export function unsupportedFeature(spec: Immutable<PodSpec>, supports: ReadonlySet<PodFeature>): PodFeature | undefined {
  const { affinity, topologySpreadConstraints = [], volumes = [], resourceClaims = [], schedulingGroup } = spec;
  const features: readonly (readonly [PodFeature, boolean])[] = [
    ['podAffinity', (affinity?.podAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []).length > 0],
    ['podAntiAffinity', (affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []).length > 0],
    ['topologySpread', topologySpreadConstraints.some(({ whenUnsatisfiable }) => whenUnsatisfiable === 'DoNotSchedule')],
    ['volumes', volumes.some((volume) => volume.persistentVolumeClaim !== undefined || volume.ephemeral !== undefined)],
    ['resourceClaims', resourceClaims.length > 0],
    ['schedulingGroup', schedulingGroup !== undefined],
  ];
  return features.find(([feature, wanted]) => wanted && !supports.has(feature))?.[0];
}
