import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import { print } from 'graphql';
import { createClient } from 'graphql-ws';

/** A typed GraphQL client of a platform. */
export interface PlatformClient {
  /** Sends a query or mutation. @throws Error with the codes of everything that was refused */
  send<Result, Variables>(document: TypedDocumentNode<Result, Variables>, variables: Variables): Promise<Result>;
  /** Follows a subscription until it ends or the loop is left. */
  follow<Result, Variables extends Record<string, unknown>>(
    document: TypedDocumentNode<Result, Variables>,
    variables: Variables,
  ): AsyncIterable<Result>;
  close(): Promise<void>;
}

interface Answer<Result> {
  readonly data?: Result | null;
  readonly errors?: readonly { readonly message: string; readonly extensions?: { readonly code?: string } }[];
}

export function connect(url: string, token: string): PlatformClient {
  const endpoint = new URL('/graphql', url);
  const authorization = `Bearer ${token}`;
  const socket = createClient({ url: endpoint.href.replace(/^http/, 'ws'), connectionParams: { authorization } });
  return {
    async send(document, variables) {
      const response = await fetch(endpoint, {
        method: 'POST',
        headers: { authorization, 'content-type': 'application/json' },
        body: JSON.stringify({ query: print(document), variables }),
      });
      return dataOf((await response.json()) as Answer<never>);
    },
    async *follow(document, variables) {
      for await (const answer of socket.iterate({ query: print(document), variables })) yield dataOf(answer as Answer<never>);
    },
    close: async () => socket.dispose(),
  };
}

function dataOf<Result>({ data, errors = [] }: Answer<Result>): Result {
  if (errors.length > 0 || data === undefined || data === null) {
    throw new Error(errors.map(({ message, extensions }) => `${extensions?.code ?? 'unknown'}: ${message}`).join('; '));
  }
  return data;
}
