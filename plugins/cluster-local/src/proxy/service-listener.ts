import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Balancer } from './balancer.js';
import { HttpProxy } from './http-proxy.js';
import type { Target } from './ingress-routes.js';
import { createServer as createHttpServer } from '../node-http.js';

/** A server that forwards to a service, and a function that closes it with its connections. */
export interface ServiceListener {
  readonly server: Server;
  readonly close: () => void;
}

const answerMs = 120_000;
const triesMax = 4;

/** Balances each request for HTTP, otherwise each connection. */
export function serviceListener(target: Target, isHttp: boolean, balancer: Balancer): ServiceListener {
  return isHttp ? byRequest(target, balancer) : byConnection(target, balancer);
}

function byRequest(target: Target, balancer: Balancer): ServiceListener {
  const proxy = new HttpProxy({ balancer, answerMs, decide: () => ({ target }) });
  const server = createHttpServer({ keepAlive: true, requestTimeout: 0 });
  server.on('request', proxy.onRequest);
  server.on('upgrade', proxy.onUpgrade);
  const close = () => {
    server.close();
    server.closeAllConnections();
    proxy.close();
  };
  return { server, close };
}

function byConnection(target: Target, balancer: Balancer): ServiceListener {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
    join(socket, balancer.choose(target.service, target.portName).slice(0, triesMax), balancer);
  });
  const close = () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  return { server, close };
}

function join(socket: Socket, endpoints: ReturnType<Balancer['choose']>, balancer: Balancer): void {
  const [endpoint, ...others] = endpoints;
  if (!endpoint || socket.destroyed) return void socket.destroy();
  const upstream = connect({ host: endpoint.host, port: endpoint.port, allowHalfOpen: true });
  let connected = false;
  upstream.once('connect', () => {
    connected = true;
    socket.pipe(upstream).pipe(socket);
    socket.once('close', () => upstream.destroy());
    upstream.once('close', () => socket.destroySoon());
  });
  upstream.once('error', () => {
    if (connected) return void socket.destroy();
    balancer.refuse(endpoint);
    join(socket, others, balancer);
  });
}
