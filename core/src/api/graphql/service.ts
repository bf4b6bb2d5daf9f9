import { AsyncLocalStorage } from 'node:async_hooks';
import { expressMiddleware } from '@as-integrations/express5';
import { isTapError } from '@tappaas/sdk';
import type { Request, Response } from 'express';
import type { OperationDefinitionNode } from 'graphql';
import { securityHeaders, sendBytes } from '../answer.js';
import { apiErrors } from '../errors.js';
import type { Exchange } from '../exchange.js';
import { mediaTypeOf } from '../media-type.js';
import { readDocument } from '../small-document.js';
import { startApollo } from './apollo.js';
import { GraphqlContext } from './context.js';
import { noteOperation } from './operation-notes.js';
import { answerPrepared, findPrepared, plainRequest } from './hot-path.js';
import type { GraphqlParts } from './ports.js';
import { RecordedAccess } from './recorded-access.js';
import type { UpgradeCall } from '../upgrade.js';
import { SchemaShelf, type ServedSchema } from './schema-shelf.js';
import type { GraphqlSockets } from './socket.js';
import { documentText } from './trusted-documents.js';
import { asGraphqlError, wireError, type ErrorPlace } from './wire-errors.js';

/** Answers `/graphql`. */
export interface GraphqlService {
  answer(exchange: Exchange): Promise<void>;
  /** Serves one WebSocket to its end. */
  converse(call: UpgradeCall): Promise<void>;
}

/** Accepted without a look at its parts; what else a client accepts is negotiated by Apollo Server. */
const plainAccepts: ReadonlySet<string | undefined> = new Set([undefined, '*/*', 'application/json']);
const jsonType = 'application/json; charset=utf-8';
const clientCharactersMax = 128;

/** The GraphQL endpoint: what is asked the first time goes through Apollo Server, what is asked again is executed compiled. */
export function createGraphqlService(parts: GraphqlParts): GraphqlService {
  return new Service(parts);
}

class Service implements GraphqlService {
  readonly #parts: GraphqlParts;
  readonly #texts: ReadonlySet<string>;
  readonly #schemas: SchemaShelf;
  #sockets: GraphqlSockets | undefined;
  readonly #places = new AsyncLocalStorage<ErrorPlace>();

  constructor(parts: GraphqlParts) {
    this.#parts = parts;
    this.#texts = new Set(parts.settings.documents?.values());
    const noPlace: ErrorPlace = { requestId: '', log: parts.log };
    this.#schemas = new SchemaShelf(parts, (schema, prepared) =>
      startApollo(schema, parts, prepared, {
        note,
        place: () => this.#places.getStore() ?? noPlace,
      }),
    );
  }

  async converse(call: UpgradeCall): Promise<void> {
    const { GraphqlSockets } = await import('./socket.js');
    this.#sockets ??= new GraphqlSockets(this.#parts, () => this.#schemas.current());
    await this.#sockets.serve(call);
  }

  async answer(exchange: Exchange): Promise<void> {
    const place: ErrorPlace = {
      requestId: exchange.requestId,
      log: this.#parts.log,
      note: (code) => void (exchange.errorCode ??= code),
      signal: () => exchange.signal,
    };
    try {
      await this.#answer(exchange, place);
    } catch (error) {
      if (!isTapError(error)) throw error;
      const text = JSON.stringify({ errors: [wireError(asGraphqlError(error), place)] });
      sendBytes(exchange, error.spec.httpStatus, jsonType, text);
    }
  }

  async #answer(exchange: Exchange, place: ErrorPlace): Promise<void> {
    const current = this.#schemas.current();
    const served = current instanceof Promise ? await current : current;
    const body = exchange.request.method === 'POST' ? await this.#body(exchange) : undefined;
    if (body === undefined) this.#refuseUntrusted(exchange);
    const plain = body !== undefined && plainAccepts.has(exchange.header('accept')) ? plainRequest(body) : undefined;
    const known = plain && findPrepared(served.prepared, plain);
    if (plain !== undefined && known !== undefined) {
      const context = this.#context(exchange);
      note(context, known.plan.operation, known.hash);
      const { status, text } = await answerPrepared(known, plain, context, place);
      sendBytes(exchange, status, jsonType, text);
    } else await this.#answerNew(exchange, body, served, place);
  }

  async #body(exchange: Exchange): Promise<Readonly<Record<string, unknown>>> {
    const type = mediaTypeOf(exchange.header('content-type'));
    if (type !== 'application/json') {
      throw apiErrors.TAP_REQUEST_MEDIA_TYPE_UNSUPPORTED({ message: `a GraphQL request is application/json, found "${type}"` });
    }
    const body = await readDocument(exchange);
    const { documents } = this.#parts.settings;
    return documents === undefined ? body : { ...withoutHash(body), query: documentText(body, documents, this.#texts) };
  }

  #refuseUntrusted({ query }: Exchange): void {
    const { documents } = this.#parts.settings;
    if (documents !== undefined) documentText({ query: query.get('query') }, documents, this.#texts);
  }

  /** By Apollo Server, which writes the answer itself: the headers that go with every answer are there before. */
  async #answerNew(
    exchange: Exchange,
    body: Readonly<Record<string, unknown>> | undefined,
    { apollo }: ServedSchema,
    place: ErrorPlace,
  ): Promise<void> {
    const { request, response, requestId } = exchange;
    const headers = [...securityHeaders, 'X-Request-Id', requestId, ...exchange.extraHeaders];
    for (let index = 0; index < headers.length; index += 2) response.appendHeader(headers[index] ?? '', headers[index + 1] ?? '');
    (request as { body?: unknown }).body = body;
    const answered = expressMiddleware(apollo, { context: async () => this.#context(exchange) });
    await this.#places.run(place, () => answered(request as Request, response as Response, () => {}));
  }

  #context(exchange: Exchange): GraphqlContext {
    const client = (exchange.header('user-agent') ?? '').split('/', 1)[0]?.slice(0, clientCharactersMax) || 'graphql';
    return new GraphqlContext(this.#parts, exchange, new RecordedAccess(this.#parts, exchange, exchange.annotations), client);
  }
}

/** Tells audit what is done under the path that everything of GraphQL has. */
function note({ access }: GraphqlContext, operation: OperationDefinitionNode, hash: string): void {
  noteOperation(access.annotations, operation, hash);
}

const hashKeys: ReadonlySet<string> = new Set(['documentId', 'extensions']);

function withoutHash(body: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(body).filter(([key]) => !hashKeys.has(key)));
}
