import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Conversation, ConversationRequest, RequestContext } from '@tappaas/sdk';
import { frames, readFrames } from '../agent/exec-frame.js';
import type { ExecEnd } from '../agent/pod/exec.js';
import { roomIn } from '../agent/room-in.js';
import { errors } from '../errors.js';
import type { AgentControl } from '../supervision/agent-control.js';
import { openAgent, textOf } from '../supervision/agent-request.js';
import { channels, endMessage, message } from './channels.js';
import { containerAtAgent } from './container.js';

const wordsMax = 1000;
const charsMax = 12 * 1024;

interface Wanted {
  readonly command: readonly string[];
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
}

/** `pods/exec`: runs a command beside a container, with its environment, directory and mounts. */
export async function execInPod(
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
  const words = new URLSearchParams(wanted.command.map((word) => ['command', word]));
  const path = `/exec/${place}?${words.toString()}`;
  const requested = openAgent(record, 'POST', path);
  const answered = answerOf(requested.answer);
  if (!wanted.stdin) requested.request.end();
  else requested.request.flushHeaders();
  const answer = await Promise.race([answered, aborted(context.signal, requested.request)]);
  if (answer.statusCode !== 200) {
    const { error } = JSON.parse(await textOf(answer)) as { readonly error?: string };
    throw errors.CLUSTER_LOCAL_REQUEST_INVALID({
      message: `no command runs in container "${container}" of pod "${request.key.name}": ${error ?? 'unknown'}`,
    });
  }
  return (conversation) => talk(conversation, wanted, requested.request, answer);
}

/** Checks the request's parameters. @throws CLUSTER_LOCAL_REQUEST_INVALID */
export function checkExec(request: ConversationRequest): void {
  wantedOf(request);
}

function wantedOf({ query }: ConversationRequest): Wanted {
  const command = query.get('command') ?? [];
  const flag = (name: string): boolean => ['true', '1'].includes(query.get(name)?.[0] ?? '');
  if (flag('tty')) {
    const message = 'pods are processes of this machine and no terminal (tty) can be given to a command in them; leave -t out';
    throw errors.CLUSTER_LOCAL_REQUEST_INVALID({ field: 'tty', message });
  }
  const [first = ''] = command;
  if (first === '') throw errors.CLUSTER_LOCAL_REQUEST_INVALID({ field: 'command', message: 'expected a command to run' });
  const chars = command.reduce((sum, word) => sum + word.length, 0);
  if (command.length > wordsMax || chars > charsMax || command.some((word) => word.includes('\0'))) {
    const message = `expected a command of at most ${wordsMax} words and ${charsMax} characters, without NUL`;
    throw errors.CLUSTER_LOCAL_REQUEST_INVALID({ field: 'command', message });
  }
  return { command, stdin: flag('stdin'), stdout: flag('stdout'), stderr: flag('stderr') };
}

async function answerOf(answer: Promise<IncomingMessage>): Promise<IncomingMessage> {
  try {
    return await answer;
  } catch (cause) {
    throw errors.CLUSTER_LOCAL_AGENT_UNREACHABLE({ message: 'the node agent does not answer', cause });
  }
}

function aborted(signal: AbortSignal, request: ClientRequest): Promise<never> {
  return new Promise((_, reject) => {
    const end = (): void => {
      request.destroy();
      reject(signal.reason as Error);
    };
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  });
}

/** Forwards input and output until the command ends, which the client is notified of, or the client disconnects, which ends the command. */
async function talk(conversation: Conversation, wanted: Wanted, input: ClientRequest, output: IncomingMessage): Promise<void> {
  // A broken connection is reported by the end of the output.
  input.on('error', () => {});
  let hasLeft = false;
  const received = receive(conversation, wanted, input).then(() => {
    hasLeft = true;
    input.destroy();
  });
  try {
    for await (const { channel, bytes } of readFrames(output as AsyncIterable<Buffer>)) {
      if (channel === frames.end) {
        const end = JSON.parse(Buffer.from(bytes).toString()) as ExecEnd;
        await conversation.send(endMessage(end));
        return;
      }
      const isWanted = channel === frames.stdout ? wanted.stdout : wanted.stderr;
      if (isWanted) await conversation.send(message(channel === frames.stdout ? channels.stdout : channels.stderr, bytes));
    }
    await conversation.send(endMessage({ problem: 'the node agent broke off' }));
  } catch (error) {
    // A client that has disconnected ended the command, and gets no message.
    if (!hasLeft) throw error;
  } finally {
    input.destroy();
    void received;
  }
}

/** Forwards the client's input until the client closes it or disconnects, which ends the command. */
async function receive({ messages }: Conversation, { stdin }: Wanted, input: ClientRequest): Promise<void> {
  for await (const each of messages) {
    const [channel, closed] = each;
    // Terminal sizes (channel 4) are ignored, since there is no terminal.
    if (channel === channels.close && closed === channels.stdin) input.end();
    else if (channel === channels.stdin && stdin && !input.writableEnded && !input.write(each.subarray(1)) && !input.destroyed) {
      await roomIn(input);
    }
  }
}
