import { request } from 'node:http';
import type { Immutable, Pod } from '@tappaas/sdk';
import { hostPortsAnnotation, portsIn } from '../../dist/annotations.js';
import { identify } from '../../dist/agent/process/identity.js';
import { Pods } from '../../dist/kinds/handles.js';
import { never, until, type LocalCluster } from './local-cluster.ts';

type APod = Immutable<Pod>;

export const read = (cluster: LocalCluster, name: string): APod | undefined => cluster.store.get<Pod>(Pods, { namespace: 'default', name });

/** Waits until a pod satisfies a condition; on a timeout it fails with the pod's status. */
export async function untilPod(
  cluster: LocalCluster,
  name: string,
  what: string,
  look: (pod: APod) => unknown,
  withinMs?: number,
): Promise<APod> {
  try {
    return await until(
      `pod ${name}: ${what}`,
      () => {
        const pod = read(cluster, name);
        return pod && look(pod) ? pod : undefined;
      },
      withinMs,
    );
  } catch (error) {
    throw new Error(`${(error as Error).message}; it is ${JSON.stringify(read(cluster, name)?.status)}`, { cause: error });
  }
}

export const isReady = (pod: APod): boolean =>
  pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true;

export const state = (pod: APod, container: string) => pod.status?.containerStatuses?.find(({ name }) => name === container);

/** The process group of a running container. */
export const pidOf = (pod: APod, container: string): number => Number(state(pod, container)?.containerID?.replace('process://', ''));

/** The only host port of a pod, or the one with a key. */
export function hostPort(pod: APod, key?: string): number {
  const ports = portsIn(pod.metadata.annotations?.[hostPortsAnnotation]);
  return (key === undefined ? Object.values(ports)[0] : ports[key]) ?? 0;
}

/** Whether a process is running; a zombie is not. */
export const isRunning = (pid: number): boolean => identify(pid) !== undefined;

/** A container's log from the agent; `received` is called with the text received so far. */
export async function logOf(
  cluster: LocalCluster,
  pod: APod,
  container: string,
  query = '',
  received?: (text: string) => void,
): Promise<string> {
  const record = await cluster.control.running();
  if (!record) throw new Error('no agent');
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        host: '127.0.0.1',
        port: record.port,
        path: `/logs/${pod.metadata.uid}/${container}?${query}`,
        headers: { authorization: `Bearer ${record.token}` },
        agent: false,
        signal: never,
      },
      (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => {
          text += chunk.toString();
          received?.(text);
        });
        response.once('end', () => resolve(text));
        response.once('error', reject);
      },
    );
    sent.once('error', reject);
    sent.end();
  });
}

/** Follows a container's log once its first line has arrived; `whole` resolves with the complete log when the container has ended. */
export async function followUp(cluster: LocalCluster, pod: APod): Promise<{ readonly whole: Promise<string> }> {
  const up = Promise.withResolvers<void>();
  const whole = logOf(cluster, pod, 'main', 'follow=true', (text) => void (text.startsWith('up\n') && up.resolve()));
  await Promise.race([up.promise, whole]);
  return { whole };
}
