import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { NextFunction, Request, Response } from 'express';
import type { Exchange } from './request/exchange.js';
import { unknownPath } from './objects/object-router.js';

/** A path in Express' form, with its handler. */
export interface RouterRoute {
  readonly path: string | RegExp;
  /** Matches the request where the path alone is not enough. */
  readonly isMeant?: (exchange: Exchange) => boolean;
  readonly answer: (exchange: Exchange) => Promise<void> | void;
}

/** Answers what the hot paths do not: an Express application behind the chain, which every request has already passed. */
export interface Router {
  /** The paths of all routes: Express' own form, or the text of a pattern. */
  readonly paths: readonly string[];
  answer(exchange: Exchange): Promise<void>;
}

const exchanges = new WeakMap<IncomingMessage, Exchange>();

export function createRouter(routes: readonly RouterRoute[]): Router {
  let made: Promise<RequestListener> | undefined;
  return {
    paths: routes.map(({ path }) => String(path)),
    answer: async (exchange) => handOver(await (made ??= expressOf(routes)), exchange),
  };
}

/** Loads Express with the first request that needs it, because that takes a tenth of the startup time. */
async function expressOf(routes: readonly RouterRoute[]): Promise<RequestListener> {
  const { default: express } = await import('express');
  const app = express();
  app.enable('case sensitive routing');
  app.enable('strict routing');
  app.disable('etag');
  app.disable('x-powered-by');
  app.set('query parser', false);
  for (const route of routes) app.all(route.path, (request: Request, _: Response, next: NextFunction) => settle(request, route, next));
  return app;
}

function settle(request: IncomingMessage, { isMeant, answer }: RouterRoute, next: NextFunction): void {
  const exchange = exchanges.get(request);
  if (exchange === undefined) next(new Error('a request has come past the chain'));
  else if (isMeant !== undefined && !isMeant(exchange)) next();
  else void answerOr(answer, exchange, next);
}

async function answerOr(answer: RouterRoute['answer'], exchange: Exchange, next: NextFunction): Promise<void> {
  try {
    await answer(exchange);
  } catch (error) {
    next(error);
  }
}

/** Resolves when the answer is sent, rejects with errors of handlers; Express' own error pages are never used. */
function handOver(app: RequestListener, exchange: Exchange): Promise<void> {
  const { request, response, info, path } = exchange;
  request.url = path.query === '' ? info.path : `${info.path}?${path.query}`;
  exchanges.set(request, exchange);
  return new Promise((resolve, reject) => {
    response.once('close', resolve);
    const unanswered = (error?: unknown): void => reject(error ?? unknownPath(exchange));
    (app as (request: IncomingMessage, response: ServerResponse, unanswered: (error?: unknown) => void) => void)(
      request,
      response,
      unanswered,
    );
  });
}
