import { setImmediate as turn } from 'node:timers/promises';
import { type Awaitable, platformEngine } from '@tappaas/sdk';
import type { EnginePort } from '../ports/engine.js';
import type { GraphqlParts, GraphqlSettings } from './graphql/ports.js';
import type { GraphqlService } from './graphql/service.js';
import { unknownPath } from './objects/object-router.js';
import type { Exchange } from './request/exchange.js';
import type { RouterRoute } from './router.js';
import type { ServedUpgrade } from './upgrade/upgrade.js';
import { apiErrors } from './errors.js';

/** What the route needs from the server; the rest of GraphQL is loaded with the first request. */
export interface GraphqlRouteParts extends Omit<GraphqlParts, 'engine' | 'settings'> {
  readonly graphql: GraphqlSettings;
}

/** The endpoint of GraphQL: requests, and WebSockets for subscriptions. */
export interface GraphqlEndpoint {
  readonly route: RouterRoute;
  /** Answers prepared operations; calls `otherwise`, which leads to the route, for anything else. */
  readonly answer: (exchange: Exchange, otherwise: () => Awaitable<void>) => Awaitable<void>;
  readonly upgrade: ServedUpgrade;
}

const graphqlPath = '/graphql';
/** The subprotocol of graphql-ws, a copy because the library is not loaded before a client uses it. */
const protocol = 'graphql-transport-ws';
const messageBytesMax = 256 * 1024;

/** Makes the endpoint `/graphql`. Its libraries are large, so they are loaded only with the first request. */
export function graphqlEndpoint(parts: GraphqlRouteParts): GraphqlEndpoint {
  let loading: Promise<GraphqlService> | undefined;
  let loaded: GraphqlService | undefined;
  const service = (): Promise<GraphqlService> => (loading ??= load(parts).then((made) => (loaded = made)));
  const answer: GraphqlEndpoint['answer'] = (exchange, otherwise) => {
    const { engine, path } = exchange.info;
    const isMeant = path === graphqlPath && engine === platformEngine && exchange.request.method === 'POST';
    return loaded !== undefined && isMeant ? loaded.answerKnown(exchange, otherwise) : otherwise();
  };
  const route: RouterRoute = {
    path: graphqlPath,
    answer: async (exchange) => {
      if (exchange.info.engine !== platformEngine) throw unknownPath(exchange);
      const { method } = exchange.request;
      if (method !== 'POST' && method !== 'GET') {
        exchange.extraHeaders.push('Allow', 'GET, POST');
        throw apiErrors.TAP_REQUEST_METHOD_NOT_ALLOWED({ message: `${method} is not served for /graphql` });
      }
      await (await service()).answer(exchange);
    },
  };
  const upgrade: ServedUpgrade = {
    path: graphqlPath,
    match: ({ info }) => info.engine === platformEngine && info.path === graphqlPath,
    protocols: [protocol],
    signsInLater: true,
    messageBytesMax,
    handle: async (call) => (await service()).converse(call),
  };
  return { route, answer, upgrade };
}

/** What the service consists of, in the order of loading; evaluating it takes most of the time of the first request. */
const pieces = [
  () => import('graphql'),
  () => import('@apollo/server'),
  () => import('graphql-jit'),
  () => import('./graphql/service.js'),
] as const;

/** Loads each piece in a turn of the event loop of its own, so that other requests are answered meanwhile (docs/decisions/0317). */
async function load(parts: GraphqlRouteParts): Promise<GraphqlService> {
  for (const piece of pieces) {
    await piece();
    await turn();
  }
  const { createGraphqlService } = await import('./graphql/service.js');
  const { graphql: settings, ...others } = parts;
  const engine = (): EnginePort => {
    const found = parts.engines().get(platformEngine);
    if (found === undefined) throw apiErrors.TAP_API_INTERNAL({ message: 'the platform has no engine of its own' });
    return found;
  };
  return createGraphqlService({ ...others, engine, settings });
}
