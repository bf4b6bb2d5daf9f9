/// <reference lib="dom" />
import { request as send, storedToken } from './caller.js';

interface Request {
  readonly query: string;
  readonly variables?: Record<string, unknown>;
  readonly operationName?: string | null;
}

interface SocketClient {
  iterate(request: Request): AsyncIterable<unknown>;
}

/** The part of graphql-js that is used; the editor's bundle includes it. */
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

/** Sends queries and mutations as requests, and subscriptions over a WebSocket, which is opened by the first one. */
export function fetcher(request: Request): Promise<unknown> | AsyncIterable<unknown> {
  return isSubscription(request) ? sockets().iterate(request) : send(request).then(({ json }) => json);
}

/** Parses the sent text, since the editor's own parse result lags behind while the user types. */
function isSubscription({ query, operationName }: Request): boolean {
  const { parse, getOperationAST } = GraphiQL.GraphQL;
  try {
    return getOperationAST(parse(query), operationName)?.operation === 'subscription';
  } catch {
    // The platform reports the syntax error.
    return false;
  }
}

function sockets(): SocketClient {
  client ??= graphqlWs.createClient({
    url: `wss://${location.host}/graphql`,
    lazy: true,
    connectionParams: () => {
      const token = storedToken();
      return token === undefined ? {} : { authorization: `Bearer ${token}` };
    },
  });
  return client;
}
