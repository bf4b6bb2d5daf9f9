import { createHash } from 'node:crypto';

/** A range of ports, both ends included. */
export interface PortRange {
  readonly from: number;
  readonly to: number;
}

/** The settings that the plugin passes to its agent, in `settings.json` of the agent's directory. */
export interface AgentSettings {
  /** Version of the package; the plugin replaces an agent with another version. */
  readonly version: string;
  /** OCI image layout with the images of pods. */
  readonly imagesDirectory: string;
  /** Names of the agent's nodes. */
  readonly nodes: readonly string[];
  /** Port of the listener for Ingress hosts. */
  readonly httpPort: number;
  /** Configuration path of `httpPort`, named when the port is taken. */
  readonly httpPortSetting: string;
  /** Range of ports for pods; below the range of the system's ephemeral ports. */
  readonly podPorts: PortRange;
  /** Range of loopback ports for services. */
  readonly servicePorts: PortRange;
  /** How long pods continue without the platform, seconds. */
  readonly gracePeriodSeconds: number;
  readonly podsMax: number;
  /** Factor by which the CPU requests of all pods together may exceed the machine's processors. */
  readonly cpuOvercommit: number;
  /** Size at which a container's log is rotated, bytes; one older part is kept. */
  readonly logBytesMax: number;
  readonly restart: RestartDelays;
  /** Time between two renewals of a node's lease, milliseconds. */
  readonly heartbeatMs: number;
  /** Maximum wait for requests in progress when a pod ends, milliseconds. */
  readonly drainMs: number;
  readonly connectionsMax: number;
}

/** Delays before an ended container is restarted. The first restart is immediate. */
export interface RestartDelays {
  readonly firstMs: number;
  readonly mostMs: number;
  /** A container that ran this long is restarted immediately again. */
  readonly resetMs: number;
}

/** Digest of the settings that are fixed for an agent's lifetime. An agent adopts changes of all other settings while it runs. */
export function lastingDigest({ version, imagesDirectory, podPorts, servicePorts, heartbeatMs }: AgentSettings): string {
  return digestOf({ version, imagesDirectory, podPorts, servicePorts, heartbeatMs });
}

export function settingsDigest(settings: AgentSettings): string {
  return digestOf(settings);
}

const digestOf = (value: object): string => createHash('sha256').update(JSON.stringify(value)).digest('hex');

/** The agent's response about its state. */
export interface AgentState {
  readonly pods: number;
  /** `settingsDigest` of the settings in use. */
  readonly settingsDigest: string;
  /** Why the HTTP port is not served; empty when it is. */
  readonly proxyProblem: string;
  readonly lastContactMs: number;
}

/** Files in the agent's directory. */
export const files = Object.freeze({
  settings: 'settings.json',
  connection: 'connection.json',
  agent: 'agent.json',
  lock: 'agent.lock',
  log: 'agent.log',
});

/** The content of `agent.json`, which identifies the running agent. */
export interface AgentRecord {
  readonly pid: number;
  readonly startTime: string;
  readonly bootId: string;
  /** Loopback port of the agent's own server. */
  readonly port: number;
  readonly token: string;
  /** `lastingDigest` of the settings in use. */
  readonly lastingDigest: string;
}
