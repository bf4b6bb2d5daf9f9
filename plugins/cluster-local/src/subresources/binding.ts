import { isTapError, type Binding, type HttpAnswer, type HttpRequest, type Key, type RequestContext } from '@tappaas/sdk';
import { errors } from '../errors.js';
import { Pods } from '../kinds/handles.js';
import { bodyOf, success } from './wire.js';

const triesMax = 8;

/** `POST pods/binding`: assigns a pod to a node, once. */
export async function bindPod(request: HttpRequest & { readonly key: Key }, { asCaller }: RequestContext): Promise<HttpAnswer> {
  const { target, metadata } = bodyOf<Binding>(request);
  const node = target?.name ?? '';
  if (node === '' || (target.kind ?? 'Node') !== 'Node') {
    throw errors.CLUSTER_LOCAL_REQUEST_INVALID({ field: 'target', message: 'expected the name of a Node as target of the binding' });
  }
  for (let tries = 1; ; tries += 1) {
    const pod = await asCaller.get(Pods, request.key);
    if (pod === undefined) throw errors.CLUSTER_LOCAL_NOT_FOUND({ message: `pod "${request.key.name}" not found` });
    const bound = pod.spec?.nodeName ?? '';
    if (metadata?.uid !== undefined && metadata.uid !== pod.metadata.uid) {
      throw errors.CLUSTER_LOCAL_POD_BOUND({
        message: `pod "${request.key.name}" is another one than the one to bind: its uid is ${pod.metadata.uid}`,
      });
    }
    if (bound !== '') throw errors.CLUSTER_LOCAL_POD_BOUND({ message: `pod "${request.key.name}" is on node "${bound}" already` });
    if (pod.metadata.deletionTimestamp !== undefined) {
      throw errors.CLUSTER_LOCAL_POD_BOUND({ message: `pod "${request.key.name}" is being deleted` });
    }
    try {
      await asCaller.patch(Pods, request.key, { metadata: { resourceVersion: pod.metadata.resourceVersion }, spec: { nodeName: node } });
      return success(201);
    } catch (error) {
      // The pod was changed concurrently, though perhaps not its node: read it again.
      if (tries >= triesMax || !isTapError(error, 'TAP_OBJECT_CONFLICT')) throw error;
    }
  }
}
