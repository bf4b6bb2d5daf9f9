/**
 * The parts of node:http that are used. An `import` of it would create a module namespace, which reads every export; the one for WebSockets
 * loads a second HTTP client into the process: 40 ms of each start (docs/decisions/0142).
 */
export const { Agent: HttpAgent, createServer, request } = process.getBuiltinModule('node:http');
