import type { Immutable, Ingress, KubernetesService } from '@tappaas/sdk';
import { servicePortsAnnotation } from '../annotations.js';
import { isAnswer, type ApiClient } from './api/api-client.js';

const contentType = 'application/merge-patch+json';

/** Writes a service's loopback ports into its annotations, for users, tools and the next agent. */
export async function announceService(
  client: ApiClient,
  { metadata }: Immutable<KubernetesService>,
  ports: Readonly<Record<string, number>>,
  signal: AbortSignal,
): Promise<void> {
  const text = JSON.stringify(ports);
  if (text === '{}' || metadata.annotations?.[servicePortsAnnotation] === text) return;
  const body = { metadata: { uid: metadata.uid, annotations: { [servicePortsAnnotation]: text } } };
  await patch(client, `/api/v1/namespaces/${metadata.namespace}/services/${metadata.name}`, body, signal);
}

/** Writes the address of the proxy into the status of an Ingress. */
export async function announceIngress(
  client: ApiClient,
  { metadata, status }: Immutable<Ingress>,
  httpPort: number,
  signal: AbortSignal,
): Promise<void> {
  if (status?.loadBalancer?.ingress?.[0]?.ports?.[0]?.port === httpPort) return;
  const served = [{ hostname: 'localhost', ip: '127.0.0.1', ports: [{ port: httpPort, protocol: 'TCP' }] }];
  const body = { metadata: { uid: metadata.uid }, status: { loadBalancer: { ingress: served } } };
  await patch(client, `/apis/networking.k8s.io/v1/namespaces/${metadata.namespace}/ingresses/${metadata.name}/status`, body, signal);
}

/** Ignores objects that were deleted or recreated meanwhile: their own change event leads here again. */
async function patch(client: ApiClient, path: string, body: object, signal: AbortSignal): Promise<void> {
  try {
    await client.request({ method: 'PATCH', path, body, contentType, signal });
  } catch (error) {
    if (!isAnswer(error, 404, 409, 422)) throw error;
  }
}
