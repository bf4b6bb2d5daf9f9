/**
 * The parts of node:http for servers. An `import` of it would create a module namespace, which reads every export, and the one for
 * WebSockets loads a second HTTP client into the process: 40 ms of each start (docs/decisions/0142).
 */
export const { createServer: createHttpServer, ServerResponse: HttpResponse, STATUS_CODES } = process.getBuiltinModule('node:http');
