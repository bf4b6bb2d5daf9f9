import { createHash } from 'node:crypto';

/** A range of ports, both ends included. */
export interface PortRange {
  readonly from: number;
  readonly to: number;
}

/** What the plugin tells its agent, in `settings.json` of the agent's directory. */
export interface AgentSettings {
  /** Version of the package: another one makes the plugin replace a running agent. */
  readonly version: string;
  /** OCI image layout that pods' images are taken from. */
  readonly imagesDirectory: string;
  /** Names of the nodes that the agent stands for. */
  readonly nodes: readonly string[];
  /** Port of the listener for Ingress hosts. */
  readonly httpPort: number;
  /** Configuration path of `httpPort`, named when the port is taken. */
  readonly httpPortSetting: string;
  /** Ports given to pods; below the range of the system's own outgoing ports. */
  readonly podPorts: PortRange;
  /** Ports on which services answer on loopback. */
  readonly servicePorts: PortRange;
  /** How long pods go on without the platform, seconds. */
  readonly gracePeriodSeconds: number;
  readonly podsMax: number;
  /** Processors that pods may ask for together, for each that there is. */
  readonly cpuOvercommit: number;
  /** Size at which a container's log is rotated, bytes; one older part is kept. */
  readonly logBytesMax: number;
  readonly restart: RestartDelays;
  /** Time between two renewals of a node's lease, milliseconds. */
  readonly heartbeatMs: number;
  /** Longest wait for requests under way when a pod ends, milliseconds. */
  readonly drainMs: number;
  readonly connectionsMax: number;
}

/** Delays before a container that ended is started again. The first restart is immediate. */
export interface RestartDelays {
  readonly firstMs: number;
  readonly mostMs: number;
  /** A container that ran this long starts over with an immediate restart. */
  readonly resetMs: number;
}

/** Equal when an agent that runs with one of them may stay for the other: all else it takes over while it works. */
export function lastingDigest({ version, imagesDirectory, podPorts, servicePorts, heartbeatMs }: AgentSettings): string {
  return digestOf({ version, imagesDirectory, podPorts, servicePorts, heartbeatMs });
}

export function settingsDigest(settings: AgentSettings): string {
  return digestOf(settings);
}

const digestOf = (value: object): string => createHash('sha256').update(JSON.stringify(value)).digest('hex');

/** What an agent says of itself when it is asked. */
export interface AgentState {
  readonly pods: number;
  /** `settingsDigest` of what it works with. */
  readonly settingsDigest: string;
  /** Why that port is not served; empty when it is. */
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

/** What a running agent says of itself in `agent.json`. */
export interface AgentRecord {
  readonly pid: number;
  readonly startTime: string;
  readonly bootId: string;
  /** Loopback port of the agent's own endpoint. */
  readonly port: number;
  readonly token: string;
  /** `lastingDigest` of what it works with. */
  readonly lastingDigest: string;
}
