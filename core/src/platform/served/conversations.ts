import { type ConversationRequest, type ConversationSubresource, platformEngine } from '@tappaas/sdk';
import { conversationOf } from '../../api/upgrade/conversation.js';
import type { Exchange } from '../../api/request/exchange.js';
import type { ServedUpgrade } from '../../api/upgrade/upgrade.js';
import { pathOf } from '../kind-path.js';
import { requestContext, type ContributionParts } from './request-context.js';

/** How long a client may leave output unread before it is disconnected, in milliseconds. */
const drainMsMax = 30_000;
/** Has room for a frame of 32 KiB with the overhead of protocols. */
const messageBytesMax = 64 * 1024;

/** Returns the subresources that plugins serve over WebSockets: opened within the deadline of a request, then without a time limit. */
export function conversationsOf(parts: ContributionParts): readonly ServedUpgrade[] {
  return parts.registrations.engines.flatMap((registered) =>
    (registered.value.conversations ?? []).map((part) => servedConversation(registered, part, parts)),
  );
}

function servedConversation(
  { guard, value: { name: engine } }: ContributionParts['registrations']['engines'][number],
  part: ConversationSubresource,
  parts: ContributionParts,
): ServedUpgrade {
  const { group, version, plural } = pathOf(parts.engine(engine), part.kind);
  return {
    path: `${engine === platformEngine ? '' : `/clusters/${engine}`}/{${plural}}/${part.name}`,
    match: ({ info: { engine: engineName, target } }) =>
      engineName === engine &&
      target?.name !== undefined &&
      target.subresource === part.name &&
      target.kind.plural === plural &&
      target.kind.group === group &&
      target.kind.version === version,
    verb: part.verb,
    protocols: part.protocols,
    messageBytesMax,
    async handle(upgrade) {
      const { exchange } = upgrade;
      const { caller, requestId, signal } = exchange;
      const call = { caller, requestId, signal, remainingMs: () => Math.max(0, exchange.deadlineMs - parts.clock.nowMs()) };
      const talk = await guard.call(
        { name: `conversation.${plural}/${part.name}` },
        (context) => part.handle(requestOf(exchange), requestContext(context, parts, engine, call)),
        { signal },
      );
      await talk(conversationOf(await upgrade.accept(), { clock: parts.clock, drainMsMax }));
    },
  };
}

function requestOf({ info: { target }, query }: Exchange): ConversationRequest {
  const { namespace, name = '' } = target ?? {};
  const names = new Set(query.keys());
  return {
    key: namespace === undefined ? { name } : { namespace, name },
    query: new Map([...names].map((each) => [each, query.getAll(each)])),
  };
}
