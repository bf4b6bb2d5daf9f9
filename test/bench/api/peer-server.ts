/** The servers that the API is measured beside: node:http and Express 5, sending the very bytes that the API sent. */
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { createRequire } from 'node:module';
import type { RequestHandler } from 'express';

/** What a path answers. */
export interface FixedAnswer {
  readonly status: number;
  readonly body: Buffer;
}

/** By what the request does; a peer knows no objects. */
export type FixedAnswers = Readonly<Record<'get' | 'list' | 'create' | 'patch', FixedAnswer>>;

export interface Tls {
  readonly certificate: string;
  readonly key: string;
}

const item = '/api/v1/namespaces/default/configmaps/:name';
const collection = '/api/v1/namespaces/default/configmaps';

export type PeerName = 'node:http' | 'Express 5';

export async function startPeer(name: PeerName, answers: FixedAnswers, frame: Buffer, tls: Tls | undefined): Promise<number> {
  const watchers = new Set<ServerResponse>();
  const listener = name === 'node:http' ? bareListener(answers, frame, watchers) : expressListener(answers);
  const server: Server = tls === undefined ? createServer(listener) : createSecureServer({ cert: tls.certificate, key: tls.key }, listener);
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

function send(response: ServerResponse, { status, body }: FixedAnswer): void {
  response.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': body.byteLength });
  response.end(body);
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return JSON.parse(Buffer.concat(chunks).toString()) as unknown;
}

function bareListener(answers: FixedAnswers, frame: Buffer, watchers: Set<ServerResponse>): RequestListener {
  return (request, response) => {
    const { method, url = '' } = request;
    if (method === 'GET' && url.includes('watch=')) {
      response.writeHead(200, { 'Content-Type': 'application/json' });
      response.flushHeaders();
      watchers.add(response);
    } else if (method === 'GET') send(response, url === collection ? answers.list : answers.get);
    else {
      void bodyOf(request).then(() => {
        for (const watcher of watchers) watcher.write(frame);
        send(response, method === 'POST' ? answers.create : answers.patch);
      });
    }
  };
}

function expressListener(answers: FixedAnswers): RequestListener {
  const express = createRequire(new URL('../../../core/package.json', import.meta.url))('express') as typeof import('express');
  const app = express();
  app.disable('etag');
  app.disable('x-powered-by');
  const json = express.json({ type: () => true });
  const answer =
    (fixed: FixedAnswer): RequestHandler =>
    (_, response) =>
      void response.status(fixed.status).type('application/json').send(fixed.body);
  app.get(collection, answer(answers.list));
  app.get(item, answer(answers.get));
  app.post(collection, json, answer(answers.create));
  app.patch(item, json, answer(answers.patch));
  return app;
}
