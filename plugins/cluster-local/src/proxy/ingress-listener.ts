import type { Server } from 'node:net';
import type { Clock } from '@tappaas/sdk';
import type { Balancer } from './balancer.js';
import { Drainable } from './drainable.js';
import { HttpProxy, type Decision } from './http-proxy.js';
import type { IngressRoutes } from './ingress-routes.js';
import { keepListening } from './keep-listening.js';
import { createServer } from '../node-http.js';

export interface IngressListenerOptions {
  readonly port: number;
  /** Configuration path of the port, named when the port is in use. */
  readonly portSetting: string;
  /** Initial connection limit of each listener. */
  readonly connectionsMax: number;
  /** Contains the listeners while they serve. */
  readonly listeners: Set<Server>;
  readonly balancer: Balancer;
  readonly routes: () => IngressRoutes;
  readonly clock: Clock;
  /** Called with the reason while hosts cannot be served, and with undefined once they are. */
  readonly onProblem: (problem: string | undefined) => void;
}

const answerMs = 120_000;

/** Serves Ingress hosts over HTTP on both loopback addresses until aborted; requests in progress then have `drainMs` to end. */
export async function serveIngress(options: IngressListenerOptions, drainMs: () => number, signal: AbortSignal): Promise<void> {
  const proxy = new HttpProxy({
    balancer: options.balancer,
    answerMs,
    decide: ({ headers, url = '/' }) => decide(options.routes(), headers.host, url),
  });
  const make = () => {
    const server = createServer({ keepAlive: true, headersTimeout: 15_000, requestTimeout: 0 });
    const drainable = new Drainable(server);
    server.maxConnections = options.connectionsMax;
    options.listeners.add(server);
    server.on('request', proxy.onRequest);
    server.on('upgrade', proxy.onUpgrade);
    server.on('clientError', (_error, socket) =>
      socket.end('HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\nthe request is not http\n'),
    );
    return { server, drainable };
  };
  const [first, second] = [make(), make()];
  const listening = keepListening(first.server, '127.0.0.1', options.port, options.clock, signal, (error) =>
    options.onProblem(
      error &&
        `port ${options.port} on 127.0.0.1 is taken by another program (${error.code ?? error.message}); free it or set ${options.portSetting}`,
    ),
  );
  await Promise.all([listening, keepListening(second.server, '::1', options.port, options.clock, signal, () => undefined)]);
  await Promise.all([first, second].map(({ drainable }) => drainable.drain(drainMs(), options.clock)));
  for (const { server } of [first, second]) options.listeners.delete(server);
  proxy.close();
}

function decide(routes: IngressRoutes, host: string | undefined, url: string): Decision {
  const path = url.split('?', 1)[0] ?? '/';
  const routed = routes.route(host ?? '', path);
  if (routed.is === 'target') return { target: routed.target };
  if (routed.is === 'no-service') return { status: 503, text: `The route exists, but ${routed.label} does not.` };
  if (routed.is === 'no-path') return { status: 404, text: `No route of host ${host ?? ''} covers ${path}.` };
  // The client is not authenticated: only callers who may list applications may learn which hosts exist.
  return { status: 404, text: `No application answers for host ${host ?? ''}. See: tappaas apps.` };
}
