import type { Immutable, Ingress, KubernetesService } from '@tappaas/sdk';
import { servicePortsAnnotation } from '../annotations.js';
import type { ServicePorts } from '../proxy/service-ports.js';
import { isAnswer, type ApiClient } from './api/api-client.js';

export interface AnnounceOptions {
  readonly client: ApiClient;
  readonly services: ReadonlyMap<string, Immutable<KubernetesService>>;
  readonly ingresses: ReadonlyMap<string, Immutable<Ingress>>;
  readonly servicePorts: ServicePorts;
  readonly httpPort: number;
}

const contentType = 'application/merge-patch+json';

/** Writes into services and ingresses where they are reached, so that people and tools can see it. */
export async function announce(options: AnnounceOptions, signal: AbortSignal): Promise<void> {
  for (const service of options.services.values()) {
    const ports = JSON.stringify(options.servicePorts.portsOf(service));
    if (ports === '{}' || service.metadata.annotations?.[servicePortsAnnotation] === ports) continue;
    const body = { metadata: { uid: service.metadata.uid, annotations: { [servicePortsAnnotation]: ports } } };
    await patch(options.client, `/api/v1/namespaces/${service.metadata.namespace}/services/${service.metadata.name}`, body, signal);
  }
  for (const ingress of options.ingresses.values()) {
    if (ingress.status?.loadBalancer?.ingress?.[0]?.ports?.[0]?.port === options.httpPort) continue;
    const served = [{ hostname: 'localhost', ip: '127.0.0.1', ports: [{ port: options.httpPort, protocol: 'TCP' }] }];
    const body = { metadata: { uid: ingress.metadata.uid }, status: { loadBalancer: { ingress: served } } };
    const path = `/apis/networking.k8s.io/v1/namespaces/${ingress.metadata.namespace}/ingresses/${ingress.metadata.name}/status`;
    await patch(options.client, path, body, signal);
  }
}

/** An object that has gone or was made anew meanwhile is not announced: its own change comes here again. */
async function patch(client: ApiClient, path: string, body: object, signal: AbortSignal): Promise<void> {
  try {
    await client.request({ method: 'PATCH', path, body, contentType, signal });
  } catch (error) {
    if (!isAnswer(error, 404, 409, 422)) throw error;
  }
}
