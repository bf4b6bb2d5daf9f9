import type { Clock, ConfigMap, Immutable, KubernetesSecret, Logger, Pod, PodStatus } from '@tappaas/sdk';
import type { ImageStore } from '../image/image-store.js';
import type { AgentSettings } from '../settings.js';
import type { PortPool } from './host-ports.js';
import type { PodEvent } from './pod-events.js';

/** What pods need of the platform. Every call may fail while the platform is away. */
export interface PodApi {
  configMap(namespace: string, name: string): Promise<Immutable<ConfigMap> | undefined>;
  secret(namespace: string, name: string): Promise<Immutable<KubernetesSecret> | undefined>;
  annotate(pod: Immutable<Pod>, annotations: Readonly<Record<string, string>>): Promise<void>;
  writeStatus(pod: Immutable<Pod>, status: PodStatus): Promise<void>;
  /** The pod's processes have ended: its object may go. Tried until the platform answers or the signal aborts. */
  remove(pod: Immutable<Pod>, signal: AbortSignal): Promise<void>;
}

/** What pods need of the proxy. */
export interface Traffic {
  /**
   * Resolves when requests under way to the pod are answered and new ones go elsewhere, at the latest after `atMostMs`. With
   * `hasSuccessor` another pod may be about to take over, and is waited for.
   */
  drain(podUid: string, atMostMs: number, hasSuccessor: boolean): Promise<void>;
  /** Whether the pod takes traffic, by what its agent knows; faster than the way over the platform. */
  setReady(podUid: string, ready: boolean): void;
  forget(podUid: string): void;
}

/** What all pods of an agent share. */
export interface PodContext {
  /** As they are now: they may be others later. */
  readonly settings: AgentSettings;
  readonly clock: Clock;
  readonly log: Logger;
  readonly api: PodApi;
  readonly traffic: Traffic;
  readonly events: { tell(pod: Immutable<Pod>, event: PodEvent): void };
  readonly images: ImageStore;
  readonly ports: PortPool;
  /** Holds one directory a pod, named by its uid. */
  readonly podsDirectory: string;
  /** Variables of the host that every container gets, PATH among them. */
  readonly base: Readonly<Record<string, string>>;
  /** Where the services of a namespace answer, as variables. */
  serviceVariables(namespace: string): Readonly<Record<string, string>>;
  readonly capacity: Readonly<Record<string, number>>;
  /** Why there are no mount namespaces here; nothing when there are. Found out at the first question. */
  namespaceObstacle(): Promise<string | undefined>;
}
