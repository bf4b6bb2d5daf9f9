import type { ConversationRequest, HttpAnswer, HttpRequest, Key } from '@tappaas/sdk';
import type { ExecEnd } from '../agent/pod/exec.js';
import { errors } from '../errors.js';

/** The protocol of kubectl's exec and attach, and its predecessor, in which standard input cannot be closed. */
export const channelProtocols = ['v5.channel.k8s.io', 'v4.channel.k8s.io'] as const;

/** Channels of the protocol: the first byte of each message. */
export const channels = { stdin: 0, stdout: 1, stderr: 2, error: 3, close: 255 } as const;

/** Encodes a message of a channel. */
export function message(channel: number, bytes: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([channel]), bytes]);
}

/** Encodes the last message, which says how the command or container ended. */
export function endMessage(end: ExecEnd): Buffer {
  return message(channels.error, Buffer.from(JSON.stringify(statusOf(end))));
}

/** The end as a Status, in the form that kubectl expects. */
function statusOf({ exitCode, problem }: ExecEnd): object {
  const head = { kind: 'Status', apiVersion: 'v1', metadata: {} };
  if (exitCode === undefined)
    return { ...head, status: 'Failure', reason: 'InternalError', message: problem ?? 'how it ended is not known', code: 500 };
  if (exitCode === 0) return { ...head, status: 'Success' };
  const causes = [{ reason: 'ExitCode', message: String(exitCode) }];
  return {
    ...head,
    status: 'Failure',
    reason: 'NonZeroExitCode',
    message: problem ?? `command terminated with non-zero exit code ${exitCode}`,
    details: { causes },
  };
}

/** Refuses a POST, by which older clients request SPDY, which is not supported; other errors of the request are reported first. */
export function refuseSpdy(what: string, check: (request: ConversationRequest) => void) {
  return async ({ key, query }: HttpRequest & { readonly key: Key }): Promise<HttpAnswer> => {
    check({ key, query: new Map(Object.entries(query).map(([name, value]) => [name, [value]])) });
    throw errors.CLUSTER_LOCAL_REQUEST_INVALID({
      message: `${what} is spoken over WebSocket here (${channelProtocols.join(', ')}); use kubectl 1.31 or later`,
    });
  };
}
