import type { Clock, ConfigMap, Immutable, KubernetesSecret, Logger, Pod, PodStatus } from '@tappaas/sdk';
import type { ImageStore } from '../image/image-store.js';
import type { AgentSettings } from '../settings.js';
import type { PortPool } from './host-ports.js';
import type { PodEvent } from './pod-events.js';

/** The API that pods need. Every call may fail while the platform is unavailable. */
export interface PodApi {
  configMap(namespace: string, name: string): Promise<Immutable<ConfigMap> | undefined>;
  secret(namespace: string, name: string): Promise<Immutable<KubernetesSecret> | undefined>;
  annotate(pod: Immutable<Pod>, annotations: Readonly<Record<string, string>>): Promise<void>;
  writeStatus(pod: Immutable<Pod>, status: PodStatus): Promise<void>;
  /** Deletes the pod's object, once its processes have ended. Retries until the platform responds or the signal aborts. */
  remove(pod: Immutable<Pod>, signal: AbortSignal): Promise<void>;
}

/** The proxy as pods use it. */
export interface Traffic {
  /**
   * Takes the pod out of traffic. Resolves when its requests in progress are answered, at the latest after `atMostMs`. With `hasSuccessor`,
   * another pod may be about to take over, and is waited for.
   */
  drain(podUid: string, atMostMs: number, hasSuccessor: boolean): Promise<void>;
  /** Sets whether the pod gets traffic, from the agent's own knowledge, which is faster than through the platform. */
  setReady(podUid: string, ready: boolean): void;
  forget(podUid: string): void;
}

/** What all pods of an agent share. */
export interface PodContext {
  /** The present settings; they can change. */
  readonly settings: AgentSettings;
  readonly clock: Clock;
  readonly log: Logger;
  readonly api: PodApi;
  readonly traffic: Traffic;
  readonly events: { record(pod: Immutable<Pod>, event: PodEvent): void };
  readonly images: ImageStore;
  readonly ports: PortPool;
  /** Contains one directory per pod, named by its uid. */
  readonly podsDirectory: string;
  /** Environment variables of the host that every container gets, including PATH. */
  readonly base: Readonly<Record<string, string>>;
  /** Environment variables with the addresses of a namespace's services. */
  serviceVariables(namespace: string): Readonly<Record<string, string>>;
  readonly capacity: Readonly<Record<string, number>>;
  /** Why mount namespaces are unavailable here; undefined when they are available. Determined by the first call. */
  namespaceObstacle(): Promise<string | undefined>;
}
