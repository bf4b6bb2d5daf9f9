/// <reference lib="dom" />
import { ask, keptToken } from './caller.js';

interface Request {
  readonly query: string;
  readonly variables?: Record<string, unknown>;
  readonly operationName?: string | null;
}

/** What the editor tells besides the request. */
interface Details {
  readonly documentAST?: {
    readonly definitions: readonly { readonly kind: string; readonly operation?: string; readonly name?: { readonly value: string } }[];
  };
}

interface SocketClient {
  iterate(request: Request): AsyncIterable<unknown>;
}

declare const graphqlWs: {
  createClient(options: { readonly url: string; readonly connectionParams: () => object; readonly lazy: true }): SocketClient;
};

let client: SocketClient | undefined;

/** Queries and mutations are requests, subscriptions come over a WebSocket that is opened for the first of them. */
export function fetcher(request: Request, details: Details = {}): Promise<unknown> | AsyncIterable<unknown> {
  return isSubscription(request, details) ? sockets().iterate(request) : ask(request).then(({ json }) => json);
}

function isSubscription({ operationName }: Request, { documentAST }: Details): boolean {
  const operations = documentAST?.definitions.filter(({ kind }) => kind === 'OperationDefinition') ?? [];
  const meant = operationName ? operations.find(({ name }) => name?.value === operationName) : operations[0];
  return meant?.operation === 'subscription';
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
