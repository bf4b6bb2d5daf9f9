import { isTapError, type Context, type EndpointSlice, type Immutable, type KubernetesService, type Pod } from '@tappaas/sdk';
import { EndpointSlices, Pods } from '../kinds/handles.js';
import { selectorText } from '../kinds/label-selector.js';
import { planEndpointSlices, serviceNameLabel } from './endpoint-slice-plan.js';
import { keyOf, podsMax } from './replica-set.js';

/** Keeps the endpoint slices of a service in line with its pods. */
export async function reconcileEndpointSlices(service: Immutable<KubernetesService>, { asPlugin }: Context): Promise<void> {
  const namespace = service.metadata.namespace ?? '';
  const slices: Immutable<EndpointSlice>[] = [];
  const labels = `${serviceNameLabel}=${service.metadata.name}`;
  for await (const slice of asPlugin.list(EndpointSlices, { namespace, labels, itemsMax: podsMax })) slices.push(slice);
  const pods: Immutable<Pod>[] = [];
  if (service.spec?.selector) {
    const query = { namespace, labels: selectorText({ matchLabels: service.spec.selector }), itemsMax: podsMax };
    for await (const pod of asPlugin.list(Pods, query)) pods.push(pod);
  }
  const plan = planEndpointSlices(service, pods, slices);
  for (const slice of plan.create) await tolerate('TAP_OBJECT_EXISTS', () => asPlugin.create(EndpointSlices, slice));
  for (const { metadata, endpoints, ports } of plan.update) {
    await tolerate('TAP_OBJECT_NOT_FOUND', () =>
      asPlugin.patch(EndpointSlices, keyOf({ metadata }), { metadata: { labels: metadata.labels }, endpoints, ports }),
    );
  }
  for (const slice of plan.delete) await tolerate('TAP_OBJECT_NOT_FOUND', () => asPlugin.delete(EndpointSlices, keyOf(slice)));
}

/** Ignores an error that means that an earlier run already made the change; the change event triggers the next run. */
export async function tolerate(code: string, run: () => Promise<unknown>): Promise<void> {
  try {
    await run();
  } catch (error) {
    if (!isTapError(error, code)) throw error;
  }
}
