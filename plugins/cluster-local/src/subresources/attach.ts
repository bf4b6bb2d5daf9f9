import type { IncomingMessage } from 'node:http';
import type { Conversation, ConversationRequest, RequestContext } from '@tappaas/sdk';
import { frames } from '../agent/exec-frame.js';
import { errors } from '../errors.js';
import type { AgentControl } from '../supervision/agent-control.js';
import { channels, endMessage, message } from './channels.js';
import { containerAtAgent } from './container.js';
import { requestLogOfPod, refusalIn } from './log.js';

const outputs = ['stdout', 'stderr'] as const;

/** `pods/attach`: streams a container's output from now on, until it ends. */
export async function attachToPod(
  request: ConversationRequest,
  context: RequestContext,
  agent: AgentControl,
): Promise<(conversation: Conversation) => Promise<void>> {
  const wanted = wantedOf(request);
  const {
    container,
    record,
    path: place,
  } = await containerAtAgent({ key: request.key, container: request.query.get('container')?.[0] }, context, agent);
  const path = `/logs/${place}?follow=true&tailLines=0`;
  const over = new AbortController();
  const requested = wanted.map((stream) =>
    requestLogOfPod(record, `${path}&stream=${stream}`, { signal: AbortSignal.any([context.signal, over.signal]) }),
  );
  try {
    const answers = await Promise.all(requested);
    const refused = answers.find(({ statusCode }) => statusCode !== 200);
    if (refused === undefined) return (conversation) => show(conversation, wanted, answers, over);
    throw errors.CLUSTER_LOCAL_REQUEST_INVALID({
      message: `nothing to attach to in container "${container}" of pod "${request.key.name}": ${await refusalIn(refused)}`,
    });
  } catch (error) {
    over.abort();
    throw error;
  }
}

/** Checks the request's parameters. @throws CLUSTER_LOCAL_REQUEST_INVALID */
export function checkAttach(request: ConversationRequest): void {
  wantedOf(request);
}

function wantedOf({ query }: ConversationRequest): readonly (typeof outputs)[number][] {
  const flag = (name: string): boolean => ['true', '1'].includes(query.get(name)?.[0] ?? '');
  for (const field of ['stdin', 'tty']) {
    if (!flag(field)) continue;
    const message =
      'pods are processes of this machine that have neither a standard input nor a terminal to attach to; leave -i and -t out';
    throw errors.CLUSTER_LOCAL_REQUEST_INVALID({ field, message });
  }
  const wanted = outputs.filter(flag);
  if (wanted.length > 0) return wanted;
  throw errors.CLUSTER_LOCAL_REQUEST_INVALID({ field: 'stdout', message: 'expected stdout or stderr to be asked for' });
}

/** Forwards output until the container ends, which the client is notified of, or the client disconnects. */
async function show(
  conversation: Conversation,
  wanted: readonly (typeof outputs)[number][],
  answers: readonly IncomingMessage[],
  over: AbortController,
): Promise<void> {
  const leaving = untilClosed(conversation).then(() => over.abort());
  try {
    const carried = answers.map((answer, index) => carry(conversation, channels[wanted[index] ?? 'stdout'], answer));
    const problem = await Promise.all(carried).then(
      () => undefined,
      () => 'the node agent broke off',
    );
    if (!over.signal.aborted) await conversation.send(endMessage(problem === undefined ? { exitCode: 0 } : { problem }));
  } finally {
    over.abort();
    void leaving;
  }
}

/** Discards the client's messages; resolves when it disconnects. */
async function untilClosed({ messages }: Conversation): Promise<void> {
  for await (const _ of messages);
}

async function carry(conversation: Conversation, channel: number, answer: IncomingMessage): Promise<void> {
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    for (let at = 0; at < chunk.length; at += frames.bytesMax)
      await conversation.send(message(channel, chunk.subarray(at, at + frames.bytesMax)));
  }
}
