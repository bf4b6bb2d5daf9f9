/// <reference lib="dom" />
import { ask, keptToken } from './caller.js';

interface Request {
  readonly query: string;
  readonly variables?: Record<string, unknown>;
  readonly operationName?: string | null;
}

interface SocketClient {
  iterate(request: Request): AsyncIterable<unknown>;
}

/** The part of graphql-js that comes with the editor. */
interface GraphqlLanguage {
  readonly parse: (text: string) => object;
  readonly getOperationAST: (
    document: object,
    operationName: string | null | undefined,
  ) => { readonly operation: string } | null | undefined;
}

declare const GraphiQL: { readonly GraphQL: GraphqlLanguage };
declare const graphqlWs: {
  createClient(options: { readonly url: string; readonly connectionParams: () => object; readonly lazy: true }): SocketClient;
};

let client: SocketClient | undefined;

/** Queries and mutations are requests, subscriptions come over a WebSocket that is opened for the first of them. */
export function fetcher(request: Request): Promise<unknown> | AsyncIterable<unknown> {
  return isSubscription(request) ? sockets().iterate(request) : ask(request).then(({ json }) => json);
}

/** Read from what is sent: what the editor has parsed lags behind somebody who types and runs at once. */
function isSubscription({ query, operationName }: Request): boolean {
  const { parse, getOperationAST } = GraphiQL.GraphQL;
  try {
    return getOperationAST(parse(query), operationName)?.operation === 'subscription';
  } catch {
    // The platform says what is wrong with the text.
    return false;
  }
}

function sockets(): SocketClient {
  client ??= graphqlWs.createClient({
    url: `wss://${location.host}/graphql`,
    lazy: true,
    connectionParams: () => {
      const token = keptToken();
      return token === undefined ? {} : { authorization: `Bearer ${token}` };
    },
  });
  return client;
}
