import type { ActionPart, ConversationPart, HandlerPart, PartDescription, ServedKind } from '../../ports/engine.js';
import { objectContent, ownAnswer, webSocketAnswer } from './openapi-answers.js';
import { refusedReads, refusedWrites, withArticle, type Operation } from './openapi-operation.js';
import { queryParameters, sent } from './openapi-parameters.js';
import type { SharedComponents } from './shared-components.js';

/** A part of objects that is answered by an action, a handler or a conversation instead of the engine. */
export interface DescribedPart {
  readonly kind: ServedKind;
  readonly name: string;
  readonly verb: string;
  readonly part: PartDescription;
  /** The kind of Operations, for actions that continue as one. */
  readonly operations: ServedKind | undefined;
}

export function partOperation(described: DescribedPart, shared: SharedComponents): Operation {
  const { part } = described;
  if (part.is === 'action') return actionOperation(described, part, shared);
  return part.is === 'handler' ? handlerOperation(described, part, shared) : conversationOperation(described, part, shared);
}

export const capitalized = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1);

/** Converts `binding-v2` to `BindingV2`. */
const pascal = (name: string): string =>
  name
    .split(/[^A-Za-z0-9]+/)
    .map(capitalized)
    .join('');

function actionOperation({ kind, name, operations }: DescribedPart, part: ActionPart, shared: SharedComponents): Operation {
  const { input, output } = part.schemas();
  const components = kind.components();
  const prefix = kind.schemaName + pascal(name);
  const required = 'required' in input;
  const done = shared.own(`${prefix}Output`, output, components);
  const goesOn = part.isLong && operations !== undefined ? shared.schema(operations.schemaName, operations.components()) : undefined;
  return {
    method: 'post',
    action: 'post',
    id: `${name}${kind.kind}`.replace(/[^A-Za-z0-9]/g, ''),
    kind,
    summary: part.description,
    parameters: [...sent('dryRun', 'IfMatch'), ...(part.isLong ? sent('IdempotencyKey') : [])],
    body: { required, content: objectContent(shared.own(`${prefix}Input`, input, components)) },
    answers: {
      200: ownAnswer(shared, part.isLong ? 'Result of a dry run.' : 'Done.', { 'application/json': { schema: done } }),
      ...(goesOn !== undefined && {
        202: ownAnswer(
          shared,
          `The action continues as an Operation; its status.result becomes a ${prefix}Output.`,
          { 'application/json': { schema: goesOn } },
          ['Location'],
        ),
      }),
    },
    refusals: refusedWrites,
  };
}

function handlerOperation({ kind, name, verb }: DescribedPart, part: HandlerPart, shared: SharedComponents): Operation {
  const isRead = verb === 'get';
  const documentation = part.documentation?.();
  const usual = {
    method: isRead ? 'get' : 'post',
    action: isRead ? 'get' : 'post',
    id: `${isRead ? 'read' : 'create'}${kind.kind}${pascal(name)}`,
    kind,
    refusals: isRead ? refusedReads : refusedWrites,
  };
  if (documentation === undefined) {
    const anything = { '*/*': {} };
    return {
      ...usual,
      summary: `${isRead ? 'Read' : 'Create'} ${name} of ${withArticle(kind)}.`,
      parameters: [],
      ...(!isRead && { body: { required: false, content: anything } }),
      answers: { '2XX': ownAnswer(shared, 'Response of the plugin.', anything) },
    };
  }
  const { description, query, body, answer, components } = documentation;
  const placed = (schema: object): object => shared.placed(schema, components);
  return {
    ...usual,
    summary: description,
    parameters: queryParameters(query),
    ...(body !== undefined && { body: { required: true, content: { 'application/json': { schema: placed(body) } } } }),
    answers:
      answer === undefined
        ? {}
        : { [answer.status]: ownAnswer(shared, 'Done.', { [answer.mediaType]: { schema: placed(answer.schema) } }) },
  };
}

function conversationOperation({ kind, name }: DescribedPart, part: ConversationPart, shared: SharedComponents): Operation {
  const { description = `Opens ${name} of ${withArticle(kind)}.`, query } = part.documentation();
  return {
    method: 'get',
    action: 'connect',
    id: `connect${kind.kind}${pascal(name)}`,
    kind,
    summary: `${description} A WebSocket of one of the subprotocols ${part.protocols.join(', ')}.`,
    parameters: queryParameters(query),
    answers: { 101: webSocketAnswer(shared) },
    refusals: [...refusedReads, 426],
  };
}
