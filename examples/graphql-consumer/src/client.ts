import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import { createClient } from '@tappaas/client';
import { print } from 'graphql';

/** A typed GraphQL client of a platform. */
export interface PlatformClient {
  /** Sends a query or mutation. @throws GraphQlError with the codes of everything that was refused */
  send<Result, Variables extends object>(document: TypedDocumentNode<Result, Variables>, variables: Variables): Promise<Result>;
  /**
   * Follows a subscription until it ends or the loop is left. When the connection breaks, a document with the variable `$since` goes on behind
   * the last event, and any other begins anew.
   */
  follow<Result, Variables extends object>(document: TypedDocumentNode<Result, Variables>, variables: Variables): AsyncIterable<Result>;
  close(): Promise<void>;
}

export function connect(url: string, token: string): PlatformClient {
  const client = createClient({ server: url, token });
  const { signal } = new AbortController();
  return {
    send: (document, variables) => client.graphql({ query: print(document), variables: Object.fromEntries(Object.entries(variables)) }),
    follow: (document, variables) =>
      client.subscribe(document, variables, { signal, resume: print(document).includes('$since') ? 'since' : 'anew' }),
    close: () => client.close(),
  };
}
