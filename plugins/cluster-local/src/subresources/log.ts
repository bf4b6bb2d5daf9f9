import type { IncomingMessage } from 'node:http';
import type { HttpAnswer, HttpRequest, Key, RequestContext } from '@tappaas/sdk';
import { errors } from '../errors.js';
import type { AgentControl } from '../supervision/agent-control.js';
import { requestAgent, textOf } from '../supervision/agent-request.js';
import { containerAtAgent } from './container.js';

/** `GET pods/log`: the output of a container, from the agent's files. */
export async function readPodLog(
  request: HttpRequest & { readonly key: Key },
  context: RequestContext,
  agent: AgentControl,
): Promise<HttpAnswer> {
  const {
    pod,
    container,
    record,
    path: place,
  } = await containerAtAgent({ key: request.key, container: request.query['container'] }, context, agent);
  const path = `/logs/${place}?${agentQuery(request, context.clock.nowMs()).toString()}`;
  const message = await requestLogOfPod(record, path, context);
  if (message.statusCode === 200)
    return { status: 200, headers: { 'content-type': 'text/plain; charset=utf-8' }, body: message as AsyncIterable<Uint8Array> };
  const state = pod.status?.containerStatuses?.find(({ name }) => name === container)?.state?.waiting;
  const why = state?.reason === undefined ? '' : `: ${state.reason}${state.message === undefined ? '' : `, ${state.message}`}`;
  throw errors.CLUSTER_LOCAL_REQUEST_INVALID({
    message: `no log of container "${container}" in pod "${request.key.name}": ${await refusalIn(message)}${why}`,
  });
}

/** The agent's reason for a refusal. */
export async function refusalIn(message: IncomingMessage): Promise<string> {
  return (JSON.parse(await textOf(message)) as { readonly error?: string }).error ?? 'unknown';
}

/** Requests something about a pod from the agent. @throws CLUSTER_LOCAL_AGENT_UNREACHABLE */
export async function requestLogOfPod(
  record: Parameters<typeof requestAgent>[0],
  path: string,
  { signal }: Pick<RequestContext, 'signal'>,
): Promise<IncomingMessage> {
  try {
    return await requestAgent(record, 'GET', path, signal);
  } catch (cause) {
    throw errors.CLUSTER_LOCAL_AGENT_UNREACHABLE({ message: 'the node agent does not answer', cause });
  }
}

/** @source Kubernetes 1.32, PodLogOptions.stream; here also allowed together with tailLines. */
const streams = ['All', 'Stdout', 'Stderr'];

/** Converts the query to the agent's parameters. */
function agentQuery({ query }: HttpRequest, nowMs: number): URLSearchParams {
  const requested = new URLSearchParams();
  for (const flag of ['follow', 'previous', 'timestamps']) if (query[flag] === 'true' || query[flag] === '1') requested.set(flag, 'true');
  for (const number of ['tailLines', 'limitBytes'] as const) {
    const value = query[number];
    if (value === undefined) continue;
    if (!/^\d+$/.test(value))
      throw errors.CLUSTER_LOCAL_REQUEST_INVALID({ field: number, message: `expected a whole number, found "${value}"` });
    requested.set(number, value);
  }
  const { stream = 'All' } = query;
  if (!streams.includes(stream))
    throw errors.CLUSTER_LOCAL_REQUEST_INVALID({ field: 'stream', message: `expected ${streams.join(', ')}, found "${stream}"` });
  if (stream !== 'All') requested.set('stream', stream.toLowerCase());
  const sinceSeconds = query['sinceSeconds'];
  const sinceTime = query['sinceTime'];
  const sinceMs = sinceSeconds === undefined ? Date.parse(sinceTime ?? '') : nowMs - Number(sinceSeconds) * 1000;
  if (sinceSeconds === undefined && sinceTime === undefined) return requested;
  if (Number.isNaN(sinceMs))
    throw errors.CLUSTER_LOCAL_REQUEST_INVALID({ message: 'expected sinceSeconds as a number or sinceTime as a time' });
  requested.set('sinceMs', String(sinceMs));
  return requested;
}
