import type { ConversationSubresource, Subresource } from '@tappaas/sdk';
import { kubernetesSchemas } from '@tappaas/sdk/kubernetes';
import type { ConversationPart, HandlerPart, PartDescription, ServedSubresource } from '../../ports/engine.js';
import type { Registrations } from '../../kernel/kernel.js';
import { toOpenApi } from '../../resources/kind-schema.js';

/** An action as discovery and OpenAPI tell it. */
export function describedAction(action: Registrations['actions'][number]['value']): ServedSubresource {
  const { name, description, input, output, long } = action;
  const schemas = () => ({ input: toOpenApi(input), output: toOpenApi(output) });
  return { name, verbs: ['create'], parts: { create: { is: 'action', description, isLong: long === true, schemas } } };
}

/** The subresources of one kind that a plugin's engine answers itself. A WebSocket begins with GET, whatever verb it needs. */
export function describedSubresources(
  answered: readonly Subresource[],
  talked: readonly ConversationSubresource[],
): readonly ServedSubresource[] {
  const parts: readonly (readonly [name: string, verb: string, part: PartDescription])[] = [
    ...answered.map((each) => [each.name, each.method === 'GET' ? 'get' : 'create', handlerPart(each)] as const),
    ...talked.map((each) => [each.name, 'get', conversationPart(each)] as const),
  ];
  return [...Map.groupBy(parts, ([name]) => name)].map(([name, own]) => ({
    name,
    verbs: own.map(([, verb]) => verb),
    parts: Object.fromEntries(own.map(([, verb, part]) => [verb, part])),
  }));
}

function handlerPart({ openApi }: Subresource): HandlerPart {
  if (openApi === undefined) return { is: 'handler' };
  const { description, query, body, response } = openApi;
  return {
    is: 'handler',
    documentation: () => ({
      description,
      ...(query !== undefined && { query: toOpenApi(query) }),
      ...(body !== undefined && { body: toOpenApi(body) }),
      ...(response !== undefined && { answer: { ...response, schema: toOpenApi(response.schema) } }),
      components: kubernetesSchemas,
    }),
  };
}

function conversationPart({ protocols, openApi }: ConversationSubresource): ConversationPart {
  const documentation = () => ({
    ...(openApi !== undefined && { description: openApi.description }),
    ...(openApi?.query !== undefined && { query: toOpenApi(openApi.query) }),
  });
  return { is: 'conversation', protocols, documentation };
}
