import type { Column } from '@tappaas/sdk';

const text = (name: string, path: string, description: string): Column => ({ name, path, description });
const count = (name: string, path: string, description: string): Column => ({ name, path, type: 'integer', description });
const wide = (column: Column): Column => ({ ...column, wide: true });

/** Columns of `kubectl get` by kind, besides name and age. */
export const columns = Object.freeze({
  Pod: [
    text('Ready', '.status.conditions[?(@.type=="Ready")].status', 'Whether it takes traffic.'),
    text('Status', '.status.phase', 'Where it is in its life.'),
    text('Reason', '.status.containerStatuses[*].state.waiting.reason', 'Why a container waits.'),
    count('Restarts', '.status.containerStatuses[*].restartCount', 'How often its containers were started again.'),
    wide(text('IP', '.status.podIP', 'Its address.')),
    wide(text('Node', '.spec.nodeName', 'Where it runs.')),
  ],
  Node: [
    text('Ready', '.status.conditions[?(@.type=="Ready")].status', 'Whether pods can run there.'),
    text('Version', '.status.nodeInfo.kubeletVersion', 'Version of the node agent.'),
    wide(text('Internal-IP', '.status.addresses[?(@.type=="InternalIP")].address', 'Its address.')),
    wide(text('OS-Image', '.status.nodeInfo.osImage', 'Operating system.')),
    wide(text('Container-Runtime', '.status.nodeInfo.containerRuntimeVersion', 'What runs the containers.')),
  ],
  Service: [
    text('Type', '.spec.type', 'How it is reached.'),
    text('Cluster-IP', '.spec.clusterIP', 'Its address inside the cluster.'),
    text('Port(s)', '.spec.ports[*].port', 'Its ports.'),
    wide(text('Selector', '.spec.selector', 'Labels of its pods.')),
  ],
  Secret: [text('Type', '.type', 'What it holds.')],
  Namespace: [text('Status', '.status.phase', 'Active, or Terminating while its contents go.')],
  Event: [
    { name: 'Last Seen', path: '.lastTimestamp', type: 'date', description: 'Time of the last occurrence.' },
    text('Type', '.type', 'Normal or Warning.'),
    text('Reason', '.reason', 'One word.'),
    text('Kind', '.involvedObject.kind', 'What it is about.'),
    text('Object', '.involvedObject.name', 'What it is about.'),
    text('Message', '.message', 'What happened.'),
  ],
  Deployment: [
    count('Ready', '.status.readyReplicas', 'Pods that take traffic.'),
    count('Up-to-date', '.status.updatedReplicas', 'Pods of the present template.'),
    count('Available', '.status.availableReplicas', 'Pods that were ready for long enough.'),
    wide(text('Containers', '.spec.template.spec.containers[*].name', 'Names of its containers.')),
    wide(text('Images', '.spec.template.spec.containers[*].image', 'Images of its containers.')),
  ],
  ReplicaSet: [
    count('Desired', '.spec.replicas', 'Pods wished for.'),
    count('Current', '.status.replicas', 'Pods there are.'),
    count('Ready', '.status.readyReplicas', 'Pods that take traffic.'),
  ],
  StatefulSet: [count('Ready', '.status.readyReplicas', 'Pods that take traffic.')],
  DaemonSet: [
    count('Desired', '.status.desiredNumberScheduled', 'Nodes that should run it.'),
    count('Ready', '.status.numberReady', 'Pods that take traffic.'),
  ],
  Job: [
    count('Completions', '.spec.completions', 'How many pods have to succeed.'),
    count('Succeeded', '.status.succeeded', 'How many pods have succeeded.'),
    count('Failed', '.status.failed', 'How many pods have failed.'),
  ],
  CronJob: [
    text('Schedule', '.spec.schedule', 'When it runs.'),
    { name: 'Suspend', path: '.spec.suspend', type: 'boolean', description: 'Whether it pauses.' },
    { name: 'Last Schedule', path: '.status.lastScheduleTime', type: 'date', description: 'When it ran last.' },
  ],
  Lease: [text('Holder', '.spec.holderIdentity', 'Who holds it.')],
  EndpointSlice: [
    text('AddressType', '.addressType', 'Sort of address.'),
    text('Ports', '.ports[*].port', 'Ports of its endpoints.'),
    text('Endpoints', '.endpoints[*].addresses[*]', 'Addresses of its endpoints.'),
  ],
  Ingress: [
    text('Class', '.spec.ingressClassName', 'Which proxy serves it.'),
    text('Hosts', '.spec.rules[*].host', 'Hosts it answers for.'),
    text('Address', '.status.loadBalancer.ingress[*].hostname', 'Where it is served.'),
  ],
  PodDisruptionBudget: [
    text('Min Available', '.spec.minAvailable', 'Pods that must stay.'),
    text('Max Unavailable', '.spec.maxUnavailable', 'Pods that may be missing.'),
    count('Allowed Disruptions', '.status.disruptionsAllowed', 'Pods that may be evicted now.'),
  ],
  PriorityClass: [count('Value', '.value', 'The higher, the earlier.')],
} as const satisfies Readonly<Record<string, readonly Column[]>>);
