import { freezeDeep, type Immutable, type Pod, type PodClass, type PodSpec, type Volume } from '@tappaas/sdk';
import type { Demand } from './footprint.js';
import { hostPortsOf } from './host-ports.js';
import { podRequests } from './pod-requests.js';
import { unsupportedFeature, type PodFeature } from './pod-features.js';

/** A {@link PodClass} with values that the kernel derives once. */
export interface SchedulingClass extends Demand {
  readonly pod: PodClass;
  readonly signature: string;
  /** Why no pod of the class can be placed on any node. */
  readonly impossible: string | undefined;
}

type Container = Immutable<PodSpec>['containers'][number];

/**
 * Returns the part of a pod that determines its class: everything but its name, its uid and what does not affect placement.
 *
 * The host name, what runs inside the containers, and volumes that every node can provide are omitted. The names of injected token volumes
 * differ from pod to pod, so including them would put every pod in a class of its own.
 */
export function signatureOf(pod: Immutable<Pod>, tenant: string | undefined): string {
  const { metadata } = pod;
  return JSON.stringify({
    spec: placementSpec(pod.spec ?? { containers: [] }),
    namespace: metadata.namespace ?? '',
    labels: metadata.labels ?? {},
    tenant,
    priority: pod.spec?.priority ?? 0,
  });
}

/** Makes the class of a signature; it shares no data with the original pod. @throws TAP_SCHEDULE_QUANTITY_INVALID */
export function classOf(signature: string, supports: ReadonlySet<PodFeature>): SchedulingClass {
  const { spec, namespace, labels, tenant, priority } = JSON.parse(signature) as Omit<PodClass, 'requests' | 'resources'>;
  const requests = podRequests(spec);
  const pod = {
    spec: freezeDeep(spec),
    namespace,
    labels: freezeDeep(labels),
    priority,
    requests: (resource: string) => requests.get(resource) ?? 0,
    resources: Object.freeze([...requests.keys()].filter((resource) => requests.get(resource) !== 0)),
  };
  const impossible = unsupportedFeature(spec, supports);
  return {
    pod: Object.freeze(tenant === undefined ? pod : { ...pod, tenant }),
    signature,
    requests,
    hostPorts: hostPortsOf(spec),
    impossible: impossible && `the scheduler does not support ${impossible}`,
  };
}

function placementSpec(spec: Immutable<PodSpec>): object {
  const { containers, initContainers, volumes, ephemeralContainers: _, hostname: __, nodeName: ___, ...rest } = spec;
  const placed = volumes?.filter(bearsOnPlacement);
  return {
    ...rest,
    containers: containers.map(placementContainer),
    ...(initContainers && { initContainers: initContainers.map(placementContainer) }),
    ...(placed && placed.length > 0 && { volumes: placed }),
  };
}

function placementContainer({ name, image, resources, ports, restartPolicy }: Container): object {
  return { name, image, resources, ports, restartPolicy };
}

function bearsOnPlacement(volume: Immutable<Volume>): boolean {
  return !volume.projected && !volume.secret && !volume.configMap && !volume.downwardAPI && !volume.emptyDir;
}

/** Classes by signature: the `classesMax` most recently used. */
export class PodClasses {
  readonly #known = new Map<string, SchedulingClass>();
  readonly #classesMax: number;
  readonly #supports: ReadonlySet<PodFeature>;
  readonly #tenantOf: (namespace: string) => string | undefined;

  constructor(options: {
    readonly classesMax: number;
    readonly supports: ReadonlySet<PodFeature>;
    readonly tenantOf: (namespace: string) => string | undefined;
  }) {
    this.#classesMax = options.classesMax;
    this.#supports = options.supports;
    this.#tenantOf = options.tenantOf;
  }

  get size(): number {
    return this.#known.size;
  }

  of(pod: Immutable<Pod>): SchedulingClass {
    const signature = signatureOf(pod, this.#tenantOf(pod.metadata.namespace ?? ''));
    const known = this.#known.get(signature);
    if (known !== undefined) {
      this.#known.delete(signature);
      this.#known.set(signature, known);
      return known;
    }
    const made = classOf(signature, this.#supports);
    this.#known.set(signature, made);
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= this.#classesMax) break;
      this.#known.delete(oldest);
    }
    return made;
  }
}
