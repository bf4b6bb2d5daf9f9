/**
 * Of node:http what asks and answers. An `import` of it makes a module namespace, which reads every export, and the one for WebSockets
 * loads a second HTTP client into the process: 40 ms of each start (docs/decisions/0142).
 */
export const { Agent: HttpAgent, createServer, request } = process.getBuiltinModule('node:http');
