import type { Clock, ConfigMap, Immutable, KubernetesSecret, Pod, PodStatus } from '@tappaas/sdk';
import { isAnswer, type ApiClient } from '../api/api-client.js';
import { RetryDelay } from '../api/retry-delay.js';
import type { PodApi } from './pod-context.js';

const mergePatch = 'application/merge-patch+json';

/** Implements {@link PodApi} over the Kubernetes API. */
export class PodHttpApi implements PodApi {
  readonly #client: ApiClient;
  readonly #clock: Clock;
  readonly #signal: AbortSignal;

  constructor(client: ApiClient, clock: Clock, signal: AbortSignal) {
    this.#client = client;
    this.#clock = clock;
    this.#signal = signal;
  }

  configMap(namespace: string, name: string): Promise<Immutable<ConfigMap> | undefined> {
    return this.#get<ConfigMap>(`/api/v1/namespaces/${encodeURIComponent(namespace)}/configmaps/${encodeURIComponent(name)}`);
  }

  secret(namespace: string, name: string): Promise<Immutable<KubernetesSecret> | undefined> {
    return this.#get<KubernetesSecret>(`/api/v1/namespaces/${encodeURIComponent(namespace)}/secrets/${encodeURIComponent(name)}`);
  }

  async annotate(pod: Immutable<Pod>, annotations: Readonly<Record<string, string>>): Promise<void> {
    const body = { metadata: { uid: pod.metadata.uid, annotations } };
    await this.#client.request({ method: 'PATCH', path: pathOf(pod), body, contentType: mergePatch, signal: this.#signal });
  }

  async writeStatus(pod: Immutable<Pod>, status: PodStatus): Promise<void> {
    const body = { metadata: { uid: pod.metadata.uid }, status };
    await this.#client.request({ method: 'PATCH', path: `${pathOf(pod)}/status`, body, contentType: mergePatch, signal: this.#signal });
  }

  async remove(pod: Immutable<Pod>, signal: AbortSignal): Promise<void> {
    const delay = new RetryDelay(100, 5000, () => 1);
    const body = { kind: 'DeleteOptions', apiVersion: 'v1', gracePeriodSeconds: 0, preconditions: { uid: pod.metadata.uid } };
    while (!signal.aborted) {
      try {
        await this.#client.request({ method: 'DELETE', path: pathOf(pod), body, signal });
        return;
      } catch (error) {
        if (isAnswer(error, 404, 409)) return;
        await this.#clock.sleep(delay.next(), signal).catch(() => undefined);
      }
    }
  }

  async #get<T>(path: string): Promise<T | undefined> {
    try {
      return await this.#client.request<T>({ method: 'GET', path, signal: this.#signal });
    } catch (error) {
      if (isAnswer(error, 404)) return undefined;
      throw error;
    }
  }
}

const pathOf = ({ metadata }: Immutable<Pod>): string =>
  `/api/v1/namespaces/${encodeURIComponent(metadata.namespace ?? '')}/pods/${encodeURIComponent(metadata.name ?? '')}`;
