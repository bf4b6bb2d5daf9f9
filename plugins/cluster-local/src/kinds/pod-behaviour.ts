import { deny, type Denial, type Immutable, type KindBehaviour, type Pod } from '@tappaas/sdk';
import type { Pods } from './handles.js';
import { defaultPodSpec } from './pod-defaults.js';
import { checkPodSpec } from './pod-checks.js';

/** Defaults and validation of pods. */
export const podBehaviour: KindBehaviour<typeof Pods> = {
  default(draft) {
    if (draft.spec === undefined) return;
    defaultPodSpec(draft.spec);
    draft.status ??= {};
    draft.status.phase ??= 'Pending';
    draft.status.qosClass ??= qosOf(draft);
  },
  check: (pod, previous) => [...checkPodSpec(pod.spec, 'spec'), ...(previous ? checkUnchanged(pod, previous) : [])],
};

/**
 * Refuses changes of fields that are fixed for a pod's lifetime: all but images, deadlines, tolerations, scheduling gates and, once, the
 * node (through the binding subresource).
 */
function checkUnchanged(pod: Immutable<Pod>, previous: Immutable<Pod>): Denial[] {
  const before = previous.spec?.nodeName ?? '';
  if (before !== '' && before !== (pod.spec?.nodeName ?? '')) return [fixed('spec.nodeName')];
  return JSON.stringify(fixedParts(pod)) === JSON.stringify(fixedParts(previous)) ? [] : [fixed('spec')];
}

function fixedParts(pod: Immutable<Pod>): unknown {
  if (pod.spec === undefined) return undefined;
  const {
    nodeName: _n,
    activeDeadlineSeconds: _a,
    tolerations: _t,
    schedulingGates: _g,
    terminationGracePeriodSeconds: _s,
    ...rest
  } = pod.spec;
  const withoutImages = (containers: typeof rest.containers | undefined) =>
    containers?.map(({ image: _image, ...others }) => sorted(others));
  return sorted({ ...rest, containers: withoutImages(rest.containers), initContainers: withoutImages(rest.initContainers) });
}

/** Sorts keys recursively, so that values can be compared as JSON text. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, part]) => part !== undefined)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, part]) => [key, sorted(part)]),
  );
}

const fixed = (field: string): Denial =>
  deny({ field, reason: 'Forbidden', message: 'cannot change while the pod exists; only images, tolerations and deadlines can' });

function qosOf(pod: Pod): 'BestEffort' | 'Burstable' | 'Guaranteed' {
  const containers = [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])];
  const hasRequests = containers.some(({ resources }) =>
    [resources?.limits, resources?.requests].some((list) => list && Object.keys(list).length > 0),
  );
  if (!hasRequests) return 'BestEffort';
  const exact = containers.every(({ resources }) =>
    ['cpu', 'memory'].every((name) => {
      const limit = resources?.limits?.[name];
      return limit !== undefined && (resources?.requests?.[name] ?? limit) === limit;
    }),
  );
  return exact ? 'Guaranteed' : 'Burstable';
}
