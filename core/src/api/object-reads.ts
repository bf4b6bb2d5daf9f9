import type { Awaitable } from '@tappaas/sdk';
import { after } from './after.js';
import { sendBytes, sendEmpty, sendPieces } from './answer.js';
import type { TableFor } from './contributions.js';
import type { EnginePort, Served, ServedKind, Target } from './engine-port.js';
import type { Exchange } from './exchange.js';
import type { JoinedLists } from './joined-lists.js';
import { listParameters, narrowedSelectors, resourceVersionParameter } from './list-parameters.js';
import { negotiate } from './media-type.js';
import { mediaTypeFor, objectShapes, viewList, viewObject, type View } from './object-view.js';
import { choiceParameter } from './query-parameters.js';
import type { Authorize } from './stages.js';

/** A request about objects whose engine and kind have been found. */
export interface ObjectCall {
  readonly exchange: Exchange;
  readonly engine: EnginePort;
  readonly kind: ServedKind;
  readonly target: Target;
  readonly tableFor: TableFor;
  readonly joined: JoinedLists;
  readonly authorize: Authorize;
}

/** `GET` of one object, from the bytes that were serialised when it changed; 304 when the client has them. */
export function getObject(call: ObjectCall): Awaitable<void> {
  const { exchange, engine, target } = call;
  const view = viewOf(call);
  const resourceVersion = exchange.path.query === '' ? undefined : resourceVersionParameter(exchange.query);
  // The exchange itself is the options: its signal is made only by an engine that asks for it.
  const found = engine.get(target, resourceVersion === undefined ? exchange : { resourceVersion, signal: exchange.signal });
  return after(found, (served) => sendObject(exchange, view, served));
}

function sendObject(exchange: Exchange, view: View, served: Served): void {
  const tag = `"${served.resourceVersion}"`;
  const headers = ['ETag', view.representation.as === undefined ? tag : `W/${tag}`];
  if (matches(exchange.header('if-none-match'), tag)) sendEmpty(exchange, 304, headers);
  else sendBytes(exchange, 200, mediaTypeFor(view), viewObject(view, served), headers);
}

/** `GET` of a collection. */
export function listObjects(call: ObjectCall): Awaitable<void> {
  const { exchange, engine, target } = call;
  const view = viewOf(call);
  const asked = exchange.path.query === '' ? {} : listParameters(exchange.query);
  const parameters = narrowedSelectors(asked, exchange.narrowed);
  const found = engine.list({
    target,
    ...parameters,
    get signal() {
      return exchange.signal;
    },
  });
  return after(found, (page) => sendPieces(exchange, 200, mediaTypeFor(view), viewList(view, page)));
}

/** How the client wants to see objects. */
export function viewOf({ exchange, kind, tableFor, joined }: ObjectCall): View {
  const representation = negotiate(exchange.request.headers.accept, objectShapes);
  const includeObject =
    representation.as === 'Table' ? choiceParameter(exchange.query, 'includeObject', ['None', 'Metadata', 'Object']) : undefined;
  return { kind, representation, includeObject: includeObject ?? 'Metadata', tableFor, joined };
}

function matches(header: string | undefined, tag: string): boolean {
  if (header === undefined) return false;
  return header === '*' || header.split(',').some((each) => each.trim().replace(/^W\//, '') === tag);
}
