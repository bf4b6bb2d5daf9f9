import { createServer } from 'node:http';

const port = Number(process.env.PORT ?? 8080);

const server = createServer((request, response) => {
  if (request.url === '/healthz') {
    response.end('ok\n');
    return;
  }
  console.log(`${request.method} ${request.url}`);
  response.setHeader('content-type', 'text/plain; charset=utf-8');
  response.end(`Hello from TAPPaaS, process ${process.pid}.\n`);
});

server.listen(port, '127.0.0.1', () => console.log(`listening on ${port}`));

process.on('SIGTERM', () => {
  console.log('finishing what is under way');
  server.close(() => process.exit(0));
  server.closeIdleConnections();
});
