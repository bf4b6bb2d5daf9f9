import { spawn } from 'node:child_process';
import { request as httpsRequest } from 'node:https';
import { connect } from 'node:net';
import type { Container, Immutable, Probe } from '@tappaas/sdk';
import { hostPortKey } from '../../annotations.js';
import { identify, signalGroup } from '../process/identity.js';
import { request as httpRequest } from '../../node-http.js';

/** The result of one probe. */
export interface Finding {
  readonly healthy: boolean;
  readonly message: string;
}

/** How a command runs beside a container: same environment, directory and mounts. */
export interface Beside {
  /** Command prefix that enters the container's mount namespace; empty if it has none. */
  readonly prefix: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

const address = '127.0.0.1';
const outputBytesMax = 1024;

/** The host port for a probe's port: that of the declared port with this name or number, or else the number itself. */
function probePort(
  port: number | string,
  container: Immutable<Container>,
  hostPorts: Readonly<Record<string, number>>,
): number | undefined {
  const declared = container.ports?.find(({ name, containerPort }) => name === port || containerPort === Number(port));
  if (declared) return hostPorts[hostPortKey(container.name, declared)];
  const number = Number(port);
  return Number.isInteger(number) && number > 0 ? number : undefined;
}

/** Runs a probe once. Never throws: any error counts as unhealthy. */
export async function checkProbe(
  probe: Immutable<Probe>,
  container: Immutable<Container>,
  hostPorts: Readonly<Record<string, number>>,
  beside: Beside,
  signal: AbortSignal,
): Promise<Finding> {
  const timeoutMs = (probe.timeoutSeconds ?? 1) * 1000;
  try {
    if (probe.exec) return await checkExec(probe.exec.command ?? [], beside, timeoutMs, signal);
    const wished = probe.httpGet?.port ?? probe.tcpSocket?.port ?? 0;
    const port = probePort(wished, container, hostPorts);
    if (port === undefined) return { healthy: false, message: `the container declares no port "${wished}"` };
    if (probe.httpGet) return await checkHttp(probe.httpGet, port, timeoutMs, signal);
    return await checkTcp(probe.tcpSocket?.host ?? address, port, timeoutMs, signal);
  } catch (error) {
    return { healthy: false, message: error instanceof Error ? error.message : String(error) };
  }
}

type HttpGet = NonNullable<Immutable<Probe>['httpGet']>;

function checkHttp(get: HttpGet, port: number, timeoutMs: number, signal: AbortSignal): Promise<Finding> {
  const { promise, resolve } = Promise.withResolvers<Finding>();
  const start = get.scheme === 'HTTPS' ? httpsRequest : httpRequest;
  const headers = Object.fromEntries((get.httpHeaders ?? []).map(({ name, value }) => [name, value]));
  const path = get.path ?? '/';
  const options = { host: get.host ?? address, port, path, agent: false as const, headers: { 'user-agent': 'tappaas-probe', ...headers } };
  const requested = start(
    { ...options, rejectUnauthorized: false, signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]) },
    (response) => {
      const status = response.statusCode ?? 0;
      response.destroy();
      resolve({ healthy: status >= 200 && status < 400, message: `GET ${path} answered ${status}` });
    },
  );
  requested.on('error', (error) => resolve({ healthy: false, message: `GET ${path} on port ${port}: ${failure(error, timeoutMs)}` }));
  requested.end();
  return promise;
}

/** Checks whether a port accepts connections. */
export function checkTcp(host: string, port: number, timeoutMs: number, signal: AbortSignal): Promise<Finding> {
  const { promise, resolve } = Promise.withResolvers<Finding>();
  const socket = connect({ host, port, signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]) });
  socket.once('connect', () => {
    socket.destroy();
    resolve({ healthy: true, message: `port ${port} accepts` });
  });
  socket.once('error', (error) => resolve({ healthy: false, message: `port ${port}: ${failure(error, timeoutMs)}` }));
  return promise;
}

const failure = (error: Error, timeoutMs: number): string =>
  error.name === 'AbortError' ? `no answer within ${timeoutMs} ms` : error.message;

function checkExec(command: readonly string[], beside: Beside, timeoutMs: number, signal: AbortSignal): Promise<Finding> {
  const [program = '', ...args] = [...beside.prefix, ...command];
  const { promise, resolve } = Promise.withResolvers<Finding>();
  const child = spawn(program, args, { cwd: beside.cwd, env: { ...beside.env }, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  const identity = child.pid === undefined ? undefined : identify(child.pid);
  let output = '';
  const collect = (chunk: Buffer) => {
    if (output.length < outputBytesMax) output += chunk.toString('utf8');
  };
  child.stdout.on('data', collect);
  child.stderr.on('data', collect);
  const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  const end = () => {
    if (identity) signalGroup(identity, 'SIGKILL');
    resolve({ healthy: false, message: `"${command.join(' ')}" did not end within ${timeoutMs} ms` });
  };
  limit.addEventListener('abort', end, { once: true });
  child.once('error', (error) => resolve({ healthy: false, message: error.message }));
  child.once('close', (code) => {
    limit.removeEventListener('abort', end);
    resolve({
      healthy: code === 0,
      message: `"${command.join(' ')}" ended with ${code}${output === '' ? '' : `: ${output.slice(0, outputBytesMax).trim()}`}`,
    });
  });
  return promise;
}
