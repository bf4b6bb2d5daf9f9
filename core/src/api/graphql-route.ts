import type { EnginePort } from './engine-port.js';
import type { GraphqlParts, GraphqlSettings } from './graphql/ports.js';
import type { GraphqlService } from './graphql/service.js';
import { platformEngine } from './request-info.js';
import { unknownPath } from './object-router.js';
import type { RouterRoute } from './router.js';
import type { ServedUpgrade } from './upgrade.js';
import { apiErrors } from './errors.js';

/** What the route needs of the server; the rest of GraphQL is loaded with the first request. */
export interface GraphqlRouteParts extends Omit<GraphqlParts, 'engine' | 'settings'> {
  readonly graphql: GraphqlSettings;
}

/** Where GraphQL is spoken: requests, and WebSockets for subscriptions. */
export interface GraphqlEndpoint {
  readonly route: RouterRoute;
  readonly upgrade: ServedUpgrade;
}

/** The sub-protocol of the library graphql-ws, which is not loaded before somebody speaks it. */
const protocol = 'graphql-transport-ws';
const messageBytesMax = 256 * 1024;

/** `/graphql`. Its libraries are large: a platform that nobody asks in GraphQL never loads them. */
export function graphqlEndpoint(parts: GraphqlRouteParts): GraphqlEndpoint {
  let loading: Promise<GraphqlService> | undefined;
  const service = (): Promise<GraphqlService> => (loading ??= load(parts));
  const route: RouterRoute = {
    path: '/graphql',
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
    path: '/graphql',
    match: ({ info }) => info.engine === platformEngine && info.path === '/graphql',
    protocols: [protocol],
    signsInLater: true,
    messageBytesMax,
    handle: async (call) => (await service()).converse(call),
  };
  return { route, upgrade };
}

async function load(parts: GraphqlRouteParts): Promise<GraphqlService> {
  const { createGraphqlService } = await import('./graphql/service.js');
  const { engines, authorize, flow, audit, actions, fields, subresources, placements, ready, version, clock, log, graphql } = parts;
  const engine = (): EnginePort => {
    const found = engines().get(platformEngine);
    if (found === undefined) throw apiErrors.TAP_API_INTERNAL({ message: 'the platform has no engine of its own' });
    return found;
  };
  const settings = graphql;
  return createGraphqlService({
    engine,
    engines,
    authorize,
    flow,
    audit,
    actions,
    fields,
    subresources,
    placements,
    ready,
    version,
    clock,
    log,
    settings,
  });
}
