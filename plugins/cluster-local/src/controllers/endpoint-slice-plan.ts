import type { Endpoint, EndpointPort, EndpointSlice, Immutable, KubernetesService, Pod } from '@tappaas/sdk';
import { hostPortKey, hostPortsAnnotation, portsIn } from '../annotations.js';
import { matchesLabels } from '../kinds/label-selector.js';
import { canonicalJson } from '../canonical-json.js';
import { controllerReference, suffixed, wordOf } from './naming.js';
import { isControlledBy, isFinished, isReady, isTerminating } from './pod-facts.js';

type AService = Immutable<KubernetesService>;
type APod = Immutable<Pod>;
type ASlice = Immutable<EndpointSlice>;

const managedByLabel = 'endpointslice.kubernetes.io/managed-by';
const managedBy = 'endpointslice-controller.k8s.io';
export const serviceNameLabel = 'kubernetes.io/service-name';

/** The actions that make a service's slices list its pods. */
export interface EndpointSlicePlan {
  readonly create: readonly EndpointSlice[];
  readonly update: readonly EndpointSlice[];
  readonly delete: readonly ASlice[];
}

/**
 * Plans one slice per pod: a slice has one list of ports for all its endpoints, and every pod here has ports of its own.
 *
 * A slice's name is derived from the pod's uid, so a pod never has two.
 */
export function planEndpointSlices(service: AService, pods: readonly APod[], slices: readonly ASlice[]): EndpointSlicePlan {
  const own = slices.filter((slice) => isControlledBy(slice, service.metadata.uid));
  const selector = service.spec?.selector;
  const isServed = service.metadata.deletionTimestamp === undefined && selector !== undefined && service.spec?.type !== 'ExternalName';
  const members = isServed ? pods.filter((pod) => isMember(pod, selector)) : [];
  const wanted = new Map(members.map((pod) => sliceOf(service, pod)).map((slice) => [slice.metadata.name ?? '', slice]));
  const present = new Map(own.map((slice) => [slice.metadata.name ?? '', slice]));
  return {
    create: [...wanted.values()].filter(({ metadata }) => !present.has(metadata.name ?? '')),
    update: [...wanted.values()].filter((slice) => {
      const before = present.get(slice.metadata.name ?? '');
      return before !== undefined && contentOf(before) !== contentOf(slice);
    }),
    delete: own.filter(({ metadata }) => !wanted.has(metadata.name ?? '')),
  };
}

const isMember = (pod: APod, selector: Readonly<Record<string, string>>): boolean =>
  matchesLabels(selector, pod.metadata.labels) &&
  !isFinished(pod) &&
  pod.status?.podIP !== undefined &&
  pod.metadata.annotations?.[hostPortsAnnotation] !== undefined;

const contentOf = ({ endpoints, ports, metadata }: ASlice): string => canonicalJson([endpoints, ports, metadata.labels]);

function sliceOf(service: AService, pod: APod): EndpointSlice {
  const name = service.metadata.name ?? '';
  const ready = isReady(pod);
  const terminating = isTerminating(pod);
  const isPublished = service.spec?.publishNotReadyAddresses === true;
  const endpoint: Endpoint = {
    addresses: [pod.status?.podIP ?? '127.0.0.1'],
    conditions: { ready: isPublished || (ready && !terminating), serving: ready, terminating },
    ...(pod.spec?.nodeName ? { nodeName: pod.spec.nodeName } : {}),
    targetRef: { kind: 'Pod', namespace: pod.metadata.namespace ?? '', name: pod.metadata.name ?? '', uid: pod.metadata.uid ?? '' },
  };
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name: suffixed(name, wordOf(pod.metadata.uid ?? '', 8)),
      namespace: service.metadata.namespace ?? '',
      labels: { ...service.metadata.labels, [managedByLabel]: managedBy, [serviceNameLabel]: name },
      ownerReferences: [controllerReference(service)],
    },
    addressType: 'IPv4',
    endpoints: [endpoint],
    ports: portsOf(service, pod),
  };
}

/** The host port of each service port; ports that the pod does not declare are left out. */
function portsOf(service: AService, pod: APod): EndpointPort[] {
  const hostPorts = portsIn(pod.metadata.annotations?.[hostPortsAnnotation]);
  return (service.spec?.ports ?? []).flatMap(({ name = '', protocol = 'TCP', targetPort, port, appProtocol }) => {
    const number = hostPortOf(pod, targetPort ?? port, protocol, hostPorts);
    return number === undefined ? [] : [{ name, protocol, port: number, ...(appProtocol === undefined ? {} : { appProtocol }) }];
  });
}

function hostPortOf(pod: APod, target: number | string, protocol: string, hostPorts: Readonly<Record<string, number>>): number | undefined {
  for (const container of pod.spec?.containers ?? []) {
    const declared = container.ports?.find(
      (port) => (port.protocol ?? 'TCP') === protocol && (port.name === target || port.containerPort === Number(target)),
    );
    if (declared) return hostPorts[hostPortKey(container.name, declared)];
  }
  return undefined;
}
