import { engineKind, type EngineKind } from '@tappaas/sdk';
import * as kinds from './handles.js';
import { endpointSliceBehaviour, ingressBehaviour, serviceBehaviour } from './network-behaviour.js';
import { podBehaviour } from './pod-behaviour.js';
import {
  cronJobBehaviour,
  daemonSetBehaviour,
  deploymentBehaviour,
  jobBehaviour,
  replicaSetBehaviour,
  statefulSetBehaviour,
} from './workload-behaviour.js';

/** All kinds that the local cluster serves. */
export const engineKinds: readonly EngineKind[] = Object.freeze([
  engineKind(kinds.Namespaces),
  engineKind(kinds.Nodes),
  engineKind(kinds.Pods, podBehaviour),
  engineKind(kinds.Services, serviceBehaviour),
  engineKind(kinds.EndpointSlices, endpointSliceBehaviour),
  engineKind(kinds.Ingresses, ingressBehaviour),
  engineKind(kinds.ConfigMaps),
  engineKind(kinds.Secrets),
  engineKind(kinds.ServiceAccounts),
  engineKind(kinds.Events),
  engineKind(kinds.Leases),
  engineKind(kinds.Deployments, deploymentBehaviour),
  engineKind(kinds.ReplicaSets, replicaSetBehaviour),
  engineKind(kinds.StatefulSets, statefulSetBehaviour),
  engineKind(kinds.DaemonSets, daemonSetBehaviour),
  engineKind(kinds.Jobs, jobBehaviour),
  engineKind(kinds.CronJobs, cronJobBehaviour),
  engineKind(kinds.PodDisruptionBudgets),
  engineKind(kinds.PriorityClasses),
]);
