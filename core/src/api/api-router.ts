import type { ReadyCheck } from './contributions.js';
import type { GraphqlEndpoint } from './graphql-route.js';
import type { Objects } from './objects/object-router.js';
import { objectRoutes } from './objects/object-routes.js';
import { answerRoute } from './plugin-routes.js';
import type { Exchange } from './request/exchange.js';
import { createRouter, type Router } from './router.js';
import { takeSeat } from './seats.js';
import type { ApiServerOptions } from './server-options.js';
import { systemRoutes } from './system-routes.js';

export interface RoutedParts {
  readonly objects: Objects;
  readonly graphql: Pick<GraphqlEndpoint, 'route'>;
  readonly ready: () => readonly ReadyCheck[];
  readonly drainMsMax: number;
  /** Host and port of the listener; empty before it listens. */
  readonly address: () => string;
}

/** Makes the router of all paths, in the order in which they are matched: objects, the platform's own routes, GraphQL, plugins. */
export function routerOf(options: ApiServerOptions, { objects, graphql, ready, drainMsMax, address }: RoutedParts): Router {
  const handlerLimits = {
    clock: options.clock,
    drainMsMax,
    strictTransport: options.strictTransport ?? false,
    becomeStream: (exchange: Exchange) => takeSeat(options.flow, exchange, true),
  };
  return createRouter([
    ...objectRoutes(objects, options, handlerLimits),
    ...systemRoutes({ ...options, ready, address }),
    graphql.route,
    { path: /^\/plugins\/./, answer: (exchange) => answerRoute(options.routes(), exchange, handlerLimits) },
  ]);
}
