import { once } from 'node:events';
import type { Clock } from '@tappaas/sdk';
import type { ExecutionContext } from 'ava';
import { createClient, type Client } from 'graphql-ws';
import { WebSocket } from 'ws';
import type { EnginePort } from '../../../dist/ports/engine.js';
import { realClock } from '../running-server.ts';
import { application, kindPaths, release, startGraphql, type GraphqlServer } from './graphql-server.ts';

// oxlint-disable-next-line typescript/no-explicit-any -- tests look into results freely
type Result = any;

interface Followed {
  next(): Promise<Result>;
  /** How it ended: the errors, or nothing when it was completed. */
  readonly ended: Promise<unknown>;
  stop(): void;
}

interface Connected {
  readonly client: Client;
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
  readonly follow: (query: string, variables?: Record<string, unknown>) => Followed;
}

export function connect(t: { teardown(close: () => void): void }, port: number, as = 'admin', byMessage = false): Connected {
  const headers = byMessage || as === '' ? {} : { authorization: `Bearer ${as}` };
  const closing = Promise.withResolvers<{ code: number; reason: string }>();
  const client = createClient({
    url: `ws://127.0.0.1:${port}/graphql`,
    webSocketImpl: class extends WebSocket {
      constructor(url: string, protocols: string[]) {
        super(url, protocols, { headers });
      }
    },
    retryAttempts: 0,
    // The connection stays between subscriptions, until it is disposed of: a lazy one leaves a timer that holds up the end of the process.
    lazy: false,
    onNonLazyError: () => {},
    ...(byMessage && { connectionParams: { authorization: `Bearer ${as}` } }),
    on: { closed: (event) => closing.resolve(event as { code: number; reason: string }) },
  });
  t.teardown(() => void client.dispose());
  return {
    client,
    closed: closing.promise,
    follow(query, variables) {
      const results: Result[] = [];
      const waiting: (() => void)[] = [];
      const ending = Promise.withResolvers<unknown>();
      const wake = (): void => {
        for (const each of waiting.splice(0)) each();
      };
      const state = { isOver: false };
      const end = (reason?: unknown): void => {
        state.isOver = true;
        ending.resolve(reason);
        wake();
      };
      const stop = client.subscribe(
        { query, ...(variables && { variables }) },
        {
          next: (result) => {
            results.push(result);
            wake();
          },
          error: end,
          complete: () => end(),
        },
      );
      return {
        ended: ending.promise,
        stop,
        async next() {
          while (results.length === 0 && !state.isOver) await new Promise<void>((resolve) => void waiting.push(resolve));
          const closed = results.length === 0 ? ((await ending.promise) as { readonly code?: number } | undefined)?.code : undefined;
          if (closed !== undefined) throw new Error(`the connection was closed with ${closed}`);
          return results.shift();
        },
      };
    },
  };
}

export const changes = `subscription C($since: String) { applicationChanges(namespace: "team", since: $since) { type resourceVersion object { name spec { runtime } } } }`;

export async function update(server: GraphqlServer, name: string, change: object): Promise<void> {
  const query = 'mutation U($input: UpdateApplicationInput!) { updateApplication(input: $input) { userErrors { message } } }';
  const { json } = await server.ask(query, { input: { namespace: 'team', name, ...change } });
  if (json.data.updateApplication.userErrors.length > 0) throw new Error(JSON.stringify(json));
}

type LogLines = (signal: AbortSignal) => AsyncIterable<Uint8Array>;

/** GraphQL beside a cluster with one pod of the application `shop`, whose status may change, and whose log is what `lines` yields. */
export async function withPod(
  t: ExecutionContext,
  {
    status = {},
    lines = async function* () {},
    clock = realClock,
  }: { readonly status?: object; readonly lines?: LogLines; readonly clock?: Clock },
): Promise<GraphqlServer> {
  const labels = { 'app.kubernetes.io/instance': 'shop', 'app.kubernetes.io/component': 'web' };
  const pod = { object: { metadata: { name: 'shop-web-1', namespace: 'team', uid: 'pod-1', labels }, status } };
  const local = {
    list: async () => ({ items: [pod] }),
    async *watch({ signal }: { readonly signal: AbortSignal }) {
      yield [
        { type: 'ADDED', served: pod },
        { type: 'BOOKMARK', served: { object: {} } },
      ];
      if (!signal.aborted) await once(signal, 'abort');
    },
  };
  const handle = async (_: unknown, { signal }: { readonly signal: AbortSignal }) => ({ status: 200, body: lines(signal) });
  const server: GraphqlServer = await startGraphql(t, {
    clock,
    engines: () =>
      new Map([
        ['platform', server.engine as EnginePort],
        ['local', local as unknown as EnginePort],
      ]),
    subresources: () => [{ engine: 'local', group: '', plural: 'pods', name: 'log', method: 'GET', handle }],
  });
  await server.put(kindPaths.releases, release(await server.put(kindPaths.applications, application('shop')), 1));
  const path = '/apis/apps.tappaas.dev/v1alpha1/namespaces/team/applications/shop/status';
  const headers = { 'content-type': 'application/merge-patch+json' };
  t.is((await server.http(path, { method: 'PATCH', body: { status: { release: 'shop-1' } }, headers })).status, 200);
  return server;
}
