import type { HttpAnswer, HttpRequest, Key, RequestContext } from '@tappaas/sdk';
import { hostPortsAnnotation, portsIn } from '../annotations.js';
import { errors } from '../errors.js';
import { Pods } from '../kinds/handles.js';

/**
 * `POST pods/portforward`: refused with the addresses of the pod's ports. kubectl forwards ports only over SPDY, which is not supported,
 * and the ports are open on this machine anyway.
 */
export async function portForward({ key }: HttpRequest & { readonly key: Key }, context: RequestContext): Promise<HttpAnswer> {
  const pod = await context.asCaller.get(Pods, key);
  if (pod === undefined) throw errors.CLUSTER_LOCAL_NOT_FOUND({ message: `pod "${key.name}" not found` });
  const ports = Object.entries(portsIn(pod.metadata.annotations?.[hostPortsAnnotation]));
  const open = ports.map(([name, port]) => `${name} at 127.0.0.1:${port}`).join(', ');
  throw errors.CLUSTER_LOCAL_REQUEST_INVALID({
    message: `ports are not forwarded here: kubectl does that over SPDY alone; pods are processes of this machine, and pod "${key.name}" has ${open === '' ? 'no port' : `open there: ${open}`}`,
  });
}
