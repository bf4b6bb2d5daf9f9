import type { Awaitable } from '@tappaas/sdk';
import { afterWith } from '../after.js';
import { sendBytes, sendEmpty, sendPrepared, sendWhole } from '../answer/answer.js';
import type { TableFor } from '../contributions.js';
import type { EnginePort, ListPage, ListQuery, Served, ServedKind, Target } from '../../ports/engine.js';
import type { Exchange } from '../request/exchange.js';
import { listParameters, narrowedSelectors, resourceVersionParameter } from '../request/list-parameters.js';
import { negotiate } from '../request/media-type.js';
import { mediaTypeFor, objectShapes, viewList, viewObject, type View } from '../answer/object-view.js';
import type { PreparedAnswers } from '../answer/prepared-answers.js';
import { choiceParameter } from '../request/query-parameters.js';
import type { Authorize } from '../stages.js';

/** A request about objects, with its engine and kind. */
export interface ObjectCall {
  readonly exchange: Exchange;
  readonly engine: EnginePort;
  readonly kind: ServedKind;
  readonly target: Target;
  readonly tableFor: TableFor;
  readonly prepared: PreparedAnswers;
  readonly authorize: Authorize;
}

/** Answers `GET` of one object from the bytes serialized when it changed; 304 if the client has them. */
export function getObject(call: ObjectCall): Awaitable<void> {
  const { exchange, engine, target } = call;
  const view = viewOf(call);
  const resourceVersion = exchange.path.query === '' ? undefined : resourceVersionParameter(exchange.query);
  // The exchange itself serves as options: its signal is created only if the engine uses it.
  const found = engine.get(target, resourceVersion === undefined ? exchange : { resourceVersion, signal: exchange.signal });
  return afterWith(found, sendObject, call, view);
}

function sendObject(served: Served, { exchange, prepared }: ObjectCall, view: View): Awaitable<void> {
  const ifNoneMatch = exchange.request.headers['if-none-match'];
  if (ifNoneMatch === undefined && isPlain(view)) {
    return sendPrepared(exchange, prepared.object(served));
  }
  const tag = `"${served.resourceVersion}"`;
  const headers = ['ETag', view.representation.as === undefined ? tag : `W/${tag}`];
  if (matches(ifNoneMatch, tag)) sendEmpty(exchange, 304, headers);
  else sendBytes(exchange, 200, mediaTypeFor(view), viewObject(view, served), headers);
}

/** Answers `GET` of a collection. */
export function listObjects(call: ObjectCall): Awaitable<void> {
  const { exchange, engine, target } = call;
  const view = viewOf(call);
  const isWhole = exchange.path.query === '' && exchange.narrowed === undefined;
  const found = engine.list(isWhole ? new WholeList(target, exchange) : narrowedList(target, exchange));
  return afterWith(found, sendList, call, view);
}

function sendList(page: ListPage, { exchange, prepared }: ObjectCall, view: View): Awaitable<void> {
  return isPlain(view)
    ? sendPrepared(exchange, prepared.list(view.kind, page))
    : sendWhole(exchange, 200, mediaTypeFor(view), viewList(view, page), ['Vary', 'Accept, Accept-Encoding']);
}

/** A list without parameters; its signal is created only if the engine uses it. */
class WholeList implements ListQuery {
  readonly target: Target;
  readonly #exchange: Exchange;

  constructor(target: Target, exchange: Exchange) {
    this.target = target;
    this.#exchange = exchange;
  }

  get signal(): AbortSignal {
    return this.#exchange.signal;
  }
}

function narrowedList(target: Target, exchange: Exchange): ListQuery {
  const requested = exchange.path.query === '' ? {} : listParameters(exchange.query);
  return { target, ...narrowedSelectors(requested, exchange.narrowed), signal: exchange.signal };
}

/** Returns the representation that the client requests. */
export function viewOf({ exchange, kind, tableFor }: ObjectCall): View {
  const representation = negotiate(exchange.request.headers.accept, objectShapes);
  const includeObject =
    representation.as === 'Table' ? choiceParameter(exchange.query, 'includeObject', ['None', 'Metadata', 'Object']) : undefined;
  return { kind, representation, includeObject: includeObject ?? 'Metadata', tableFor };
}

/** Whether the cached bytes can be sent, without another shape or encoding. */
function isPlain({ representation: { as, encoding } }: View): boolean {
  return as === undefined && encoding === 'json';
}

function matches(header: string | undefined, tag: string): boolean {
  if (header === undefined) return false;
  return header === '*' || header.split(',').some((each) => each.trim().replace(/^W\//, '') === tag);
}
