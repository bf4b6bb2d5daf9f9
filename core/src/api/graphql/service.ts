import { AsyncLocalStorage } from 'node:async_hooks';
import { expressMiddleware } from '@as-integrations/express5';
import { isTapError, type Awaitable } from '@tappaas/sdk';
import type { Request, Response } from 'express';
import type { OperationDefinitionNode } from 'graphql';
import { after } from '../after.js';
import { securityHeaders, sendBytes } from '../answer/answer.js';
import { apiErrors } from '../errors.js';
import type { Exchange } from '../request/exchange.js';
import { mediaTypeOf } from '../request/media-type.js';
import { readBody } from '../request/request-body.js';
import { documentBytesMax, jsonDocument, readDocument, type SmallDocument } from '../request/small-document.js';
import { AnswerTypes, jsonType } from './answer-types.js';
import { startApollo } from './apollo.js';
import { GraphqlContext } from './context.js';
import { noteOperation } from './operation-notes.js';
import { answerPrepared, findPrepared, plainRequest, type KnownOperation, type PlainRequest } from './hot-path.js';
import type { GraphqlParts } from './ports.js';
import { RecordedAccess } from './recorded-access.js';
import type { UpgradeCall } from '../upgrade/upgrade.js';
import { SchemaCache, type ServedSchema } from './schema-cache.js';
import type { GraphqlSockets } from './socket.js';
import { documentText } from './trusted-documents.js';
import { weigh } from '../weight.js';
import { asGraphqlError, wireError, type ErrorPlace } from './wire-errors.js';

/** Serves the GraphQL endpoint. */
export interface GraphqlService {
  answer(exchange: Exchange): Promise<void>;
  /** Answers a request in the plain form whose operation is prepared; calls `otherwise`, which leads to `answer`, for any other. */
  answerKnown(exchange: Exchange, otherwise: () => Awaitable<void>): Awaitable<void>;
  /** Serves one WebSocket until it closes. */
  converse(call: UpgradeCall): Promise<void>;
}

const jsonMediaType = 'application/json';
const clientCharactersMax = 128;

/** Creates the service: first requests for a document go through Apollo Server, later ones are executed compiled. */
export function createGraphqlService(parts: GraphqlParts): GraphqlService {
  return new Service(parts);
}

/** What answering a prepared operation needs. */
interface KnownPlace {
  readonly served: ServedSchema;
  readonly type: string;
}

class Service implements GraphqlService {
  readonly #parts: GraphqlParts;
  readonly #texts: ReadonlySet<string>;
  readonly #schemas: SchemaCache;
  readonly #types = new AnswerTypes();
  #sockets: GraphqlSockets | undefined;
  readonly #places = new AsyncLocalStorage<ErrorPlace>();

  constructor(parts: GraphqlParts) {
    this.#parts = parts;
    this.#texts = new Set(parts.settings.documents?.values());
    const noPlace: ErrorPlace = { requestId: '', log: parts.log };
    this.#schemas = new SchemaCache(parts, (schema, prepared) =>
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

  answerKnown(exchange: Exchange, otherwise: () => Awaitable<void>): Awaitable<void> {
    const served = this.#schemas.current();
    const type = isJson(exchange) ? this.#types.get(exchange.header('accept')) : undefined;
    if (served instanceof Promise || type === undefined) return otherwise();
    return readBody(exchange, documentBytesMax)
      .then((bytes) =>
        after(weigh(exchange, { bytes: bytes.byteLength }), () => this.#answerBody(exchange, bytes, { served, type }, otherwise)),
      )
      .catch((error: unknown) => this.#refuse(exchange, error));
  }

  #answerBody(exchange: Exchange, bytes: Buffer, { served, type }: KnownPlace, otherwise: () => Awaitable<void>): Awaitable<void> {
    const body = this.#trusted(jsonDocument(bytes));
    const plain = plainRequest(body);
    const known = plain && findPrepared(served.prepared, plain);
    if (plain !== undefined && known !== undefined) return this.#execute(exchange, known, plain, type);
    bodyOf(exchange).body = body;
    return otherwise();
  }

  async answer(exchange: Exchange): Promise<void> {
    try {
      const served = await this.#schemas.current();
      const { body = exchange.request.method === 'POST' ? await this.#read(exchange) : undefined } = bodyOf(exchange);
      if (body === undefined) this.#refuseUntrusted(exchange);
      await this.#answerNew(exchange, body, served);
    } catch (error) {
      this.#refuse(exchange, error);
    }
  }

  #execute(exchange: Exchange, known: KnownOperation, plain: PlainRequest, type: string): Awaitable<void> {
    const context = this.#context(exchange);
    note(context, known.plan.operation, known.hash);
    return after(
      answerPrepared(known, plain, context, () => this.#place(exchange)),
      ({ status, text }) => sendBytes(exchange, status, type, text),
    );
  }

  #refuse(exchange: Exchange, error: unknown): void {
    if (!isTapError(error)) throw error;
    const text = JSON.stringify({ errors: [wireError(asGraphqlError(error), this.#place(exchange))] });
    sendBytes(exchange, error.spec.httpStatus, jsonType, text);
  }

  #place(exchange: Exchange): ErrorPlace {
    return {
      requestId: exchange.requestId,
      log: this.#parts.log,
      note: (code) => void (exchange.errorCode ??= code),
      signal: () => exchange.signal,
    };
  }

  async #read(exchange: Exchange): Promise<SmallDocument> {
    const type = mediaTypeOf(exchange.header('content-type'));
    if (type !== jsonMediaType) {
      throw apiErrors.TAP_REQUEST_MEDIA_TYPE_UNSUPPORTED({ message: `a GraphQL request is application/json, found "${type}"` });
    }
    return this.#trusted(await readDocument(exchange));
  }

  /** Replaces a hash by the text of its document where only trusted documents are answered. @throws TAP_GRAPHQL_DOCUMENT_UNKNOWN, TAP_GRAPHQL_REQUEST_INVALID */
  #trusted(body: SmallDocument): SmallDocument {
    const { documents } = this.#parts.settings;
    const query = documentText(body, documents, this.#texts);
    return documents === undefined ? body : { ...withoutHash(body), query };
  }

  #refuseUntrusted({ query }: Exchange): void {
    const { documents } = this.#parts.settings;
    if (documents !== undefined) documentText({ query: query.get('query') }, documents, this.#texts);
  }

  /** Answers through Apollo Server, which writes the response itself, so the common headers are set first. */
  async #answerNew(exchange: Exchange, body: SmallDocument | undefined, { apollo }: ServedSchema): Promise<void> {
    const { request, response, requestId } = exchange;
    const headers = [...securityHeaders, 'X-Request-Id', requestId, ...exchange.extraHeaders];
    for (let index = 0; index < headers.length; index += 2) response.appendHeader(headers[index] ?? '', headers[index + 1] ?? '');
    bodyOf(exchange).body = body;
    const answered = expressMiddleware(apollo, { context: async () => this.#context(exchange) });
    await this.#places.run(this.#place(exchange), () => answered(request as Request, response as Response, () => {}));
    if (response.statusCode === 200) this.#types.learn(exchange.header('accept'), response.getHeader('content-type'));
  }

  #context(exchange: Exchange): GraphqlContext {
    const client = (exchange.header('user-agent') ?? '').split('/', 1)[0]?.slice(0, clientCharactersMax) || 'graphql';
    return new GraphqlContext(this.#parts, exchange, new RecordedAccess(this.#parts, exchange, exchange.annotations), client);
  }
}

/** Where Express' middleware expects a body that was already read. */
function bodyOf({ request }: Exchange): { body?: SmallDocument | undefined } {
  return request as { body?: SmallDocument | undefined };
}

function isJson(exchange: Exchange): boolean {
  const type = exchange.header('content-type');
  return type === jsonMediaType || mediaTypeOf(type) === jsonMediaType;
}

function note({ access }: GraphqlContext, operation: OperationDefinitionNode, hash: string): void {
  noteOperation(access.annotations, operation, hash);
}

const hashKeys: ReadonlySet<string> = new Set(['documentId', 'extensions']);

function withoutHash(body: SmallDocument): SmallDocument {
  return Object.fromEntries(Object.entries(body).filter(([key]) => !hashKeys.has(key)));
}
