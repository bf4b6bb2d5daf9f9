import type { Key } from '@tappaas/sdk';
import { sendJson } from '../answer/answer.js';
import { noteDryRun } from '../audit-trail.js';
import type { ServedAction, ServedSubresource } from '../contributions.js';
import type { Target } from '../../ports/engine.js';
import { callOf, handlerRequest, sendHandlerAnswer, type HandlerLimits } from '../answer/handler-answer.js';
import type { ObjectCall } from './object-reads.js';
import { answerObjects, findCall, type Objects } from './object-router.js';
import { bodyBytesMax } from '../request/request-body.js';
import type { RouterRoute } from '../router.js';
import { readDocument } from '../request/small-document.js';
import { actionOptions, refuseConditions } from '../request/write-parameters.js';

/** Handlers of subresources and actions, which answer instead of the engine. */
export interface PartHandlers {
  readonly actions: () => readonly ServedAction[];
  readonly subresources: () => readonly ServedSubresource[];
}

/** Makes the route of all requests about objects, except the reads that bypass Express. */
export function objectRoutes(objects: Objects, parts: PartHandlers, limits: HandlerLimits): readonly RouterRoute[] {
  const answer: RouterRoute['answer'] = async (exchange) => {
    const { target } = exchange.info;
    if (target === undefined) return;
    const call = findCall(objects, exchange, target);
    const action = parts.actions().find((each) => isMeant(each, call) && exchange.request.method === 'POST');
    const part = parts.subresources().find((each) => isMeant(each, call) && each.method === exchange.request.method);
    if (action !== undefined) await answerAction(action, call, limits);
    else if (part !== undefined) await answerPart(part, call, limits);
    else await answerObjects(objects, call);
  };
  return [{ path: /^\/apis?\/./, isMeant: ({ info }) => info.target !== undefined, answer }];
}

type Part = Pick<ServedAction, 'engine' | 'group' | 'plural' | 'name'>;

function isMeant(part: Part, { engine, target }: ObjectCall): boolean {
  const { kind, subresource } = target;
  return part.name === subresource && part.plural === kind.plural && part.group === kind.group && part.engine === engine.name;
}

function keyOf({ namespace, name = '' }: Target): Key {
  return namespace === undefined ? { name } : { namespace, name };
}

/** Answers `POST …/{name}/{action}`; one that continues as an Operation gets 202 with its Location. */
async function answerAction(action: ServedAction, { exchange, target }: ObjectCall, limits: HandlerLimits): Promise<void> {
  const options = actionOptions(exchange);
  noteDryRun(exchange, options.dryRun);
  const input = await readDocument(exchange);
  const call = { ...callOf(exchange, limits), caller: exchange.caller };
  const { output, operation } = await action.handle({ key: keyOf(target), input, ...options }, call);
  if (operation === undefined) sendJson(exchange, 200, output);
  else sendJson(exchange, 202, output, ['Location', operation]);
}

async function answerPart(part: ServedSubresource, { exchange, target }: ObjectCall, limits: HandlerLimits): Promise<void> {
  if (part.method === 'POST') refuseConditions(exchange);
  const request = await handlerRequest(exchange, {}, { bodyBytesMax, withCredentials: false });
  const call = { ...callOf(exchange, limits), caller: exchange.caller };
  await sendHandlerAnswer(exchange, await part.handle({ ...request, key: keyOf(target) }, call), limits);
}
