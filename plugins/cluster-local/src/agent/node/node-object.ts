import type { Node, NodeCondition, NodeStatus } from '@tappaas/sdk';
import type { HostFacts } from './host-facts.js';

/** The data of a Node object. */
export interface NodeView {
  readonly name: string;
  /** Number of nodes that share this machine; each reports an equal part of its resources. */
  readonly nodes: number;
  readonly podsMax: number;
  readonly cpuOvercommit: number;
  readonly facts: HostFacts;
  readonly version: string;
  readonly runtimeVersion: string;
  readonly agentPort: number;
  /** Why Ingress hosts are not served; absent when they are. */
  readonly proxyProblem?: string;
  readonly nowMs: number;
}

/** The Node object that registers a node. */
export function nodeObject(view: NodeView): Node {
  const { name, facts } = view;
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      labels: {
        'kubernetes.io/hostname': name,
        'kubernetes.io/os': facts.operatingSystem,
        'kubernetes.io/arch': facts.architecture,
        'topology.kubernetes.io/region': 'local',
        'topology.kubernetes.io/zone': name,
        'node.kubernetes.io/instance-type': 'process',
      },
    },
    spec: { providerID: `process://${facts.hostname}/${name}` },
    status: nodeStatus(view),
  };
}

/** The status of a healthy node. */
export function nodeStatus(view: NodeView): NodeStatus {
  const { facts, nodes } = view;
  const cpu = (times: number) => `${Math.floor((facts.cpu * 1000 * times) / nodes)}m`;
  const capacity = {
    cpu: cpu(1),
    memory: `${Math.floor(facts.memoryBytes / 1024 / nodes)}Ki`,
    'ephemeral-storage': `${Math.floor(facts.storageBytes / 1024 / nodes)}Ki`,
    pods: String(Math.floor(view.podsMax / nodes)),
  };
  return {
    capacity,
    // Overcommitted: processes share the processors, whatever they request.
    allocatable: { ...capacity, cpu: cpu(view.cpuOvercommit) },
    conditions: conditionsOf(view),
    addresses: [
      { type: 'InternalIP', address: '127.0.0.1' },
      { type: 'Hostname', address: facts.hostname },
    ],
    daemonEndpoints: { kubeletEndpoint: { Port: view.agentPort } },
    nodeInfo: {
      architecture: facts.architecture,
      bootID: facts.bootId,
      containerRuntimeVersion: `process://${view.runtimeVersion}`,
      kernelVersion: facts.kernelVersion,
      kubeProxyVersion: `tappaas-${view.version}`,
      kubeletVersion: `tappaas-${view.version}`,
      machineID: facts.machineId,
      operatingSystem: facts.operatingSystem,
      osImage: facts.osImage,
      systemUUID: facts.machineId,
    },
  };
}

function conditionsOf({ nowMs, proxyProblem }: NodeView): NodeCondition[] {
  const now = new Date(nowMs).toISOString();
  const condition = (type: string, status: string, reason: string, message: string): NodeCondition => ({
    type,
    status,
    reason,
    message,
    lastHeartbeatTime: now,
    lastTransitionTime: now,
  });
  return [
    condition('Ready', 'True', 'AgentReady', 'the node agent runs pods as local processes'),
    condition('MemoryPressure', 'False', 'NotMeasured', 'pods share the memory of the machine'),
    condition('DiskPressure', 'False', 'NotMeasured', 'pods share the disk of the machine'),
    condition('PIDPressure', 'False', 'NotMeasured', 'pods share the process table of the machine'),
    proxyProblem === undefined
      ? condition('ProxyReady', 'True', 'Listening', 'Ingress hosts are served')
      : condition('ProxyReady', 'False', 'PortTaken', proxyProblem),
  ];
}
