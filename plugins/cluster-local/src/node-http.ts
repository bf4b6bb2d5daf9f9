/**
 * The parts of node:http in use. An `import` would create a module namespace, which reads every export; the export for WebSockets would
 * load a second HTTP client into the process, 40 ms at each start (docs/decisions/0142).
 */
export const { Agent: HttpAgent, createServer, request } = process.getBuiltinModule('node:http');
