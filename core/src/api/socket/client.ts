import { type AccessDecision, type Caller, type Clock, type Logger, platformEngine } from '@tappaas/sdk';
import type { Socket } from 'socket.io';
import { beginPart } from '../audit-trail.js';
import { namedBy } from '../authorization.js';
import type { ServedSubresource } from '../contributions.js';
import type { EnginePort, ServedKind } from '../../ports/engine.js';
import { apiErrors } from '../errors.js';
import type { Exchange } from '../request/exchange.js';
import { narrowedSelectors } from '../request/list-parameters.js';
import type { RequestInfo } from '../request/request-info.js';
import type { Audit, AuditTrail } from '../../ports/audit.js';
import type { Authorize } from '../stages.js';
import { deprecationOf } from '../answer/warnings.js';
import { failureStatus, publicError, type Status } from '../answer/status.js';
import { joinRequest, roomName, type JoinRequest } from './join-request.js';
import { fillLogRoom } from './log-room.js';
import { fillMetricsRoom, type MetricsPages } from './metrics-room.js';
import { fillObjectRoom, type EventFrames } from './object-room.js';
import { Outbox } from './outbox.js';
import { RoomAccess } from './room-access.js';
import type { Room } from './room.js';

/** The sources of rooms, and what authorizes and audits them. */
export interface ClientParts {
  readonly engines: () => ReadonlyMap<string, EnginePort>;
  readonly subresources: () => readonly ServedSubresource[];
  readonly pages: MetricsPages;
  readonly authorize: Authorize;
  readonly audit: Audit;
  readonly clock: Clock;
  readonly log: Logger;
  readonly frames: EventFrames;
  readonly drainMsMax: number;
  /** Called for each room of a deprecated version. */
  readonly deprecatedUse: (kind: ServedKind, caller: Caller) => void;
}

/** Acknowledges `join` and `leave`, and refuses any other event. */
type Acknowledge = (answer: { readonly room: string; readonly warnings?: readonly string[] } | { readonly error: Status }) => void;

const roomsMax = 50;
const joinsPerSecond = 10;
const joinsAtOnceMax = 20;
const eventCharsShownMax = 40;

/** One connection and its rooms, each with a task that fills it. */
export class SocketClient {
  readonly #socket: Socket;
  readonly #exchange: Exchange;
  readonly #parts: ClientParts;
  readonly #outbox: Outbox;
  readonly #rooms = new Map<string, AbortController>();
  #joinsLeft = joinsAtOnceMax;
  #joinedAtMs: number;

  constructor(socket: Socket, exchange: Exchange, parts: ClientParts) {
    this.#socket = socket;
    this.#exchange = exchange;
    this.#parts = parts;
    this.#outbox = new Outbox(socket.conn, parts.clock, parts.drainMsMax);
    this.#joinedAtMs = parts.clock.nowMs();
    socket.on('join', (value: unknown, acknowledge: unknown) => void this.#join(value, acknowledgeOf(acknowledge)));
    socket.on('leave', (value: unknown, acknowledge: unknown) => this.#leave(value, acknowledgeOf(acknowledge)));
    socket.onAny((event: unknown, ...values: readonly unknown[]) => {
      if (event !== 'join' && event !== 'leave') this.#refuseEvent(event, acknowledgeOf(values.at(-1)));
    });
    socket.once('disconnect', () => this.#leaveAll());
  }

  async #join(value: unknown, acknowledge: Acknowledge): Promise<void> {
    try {
      this.#takeJoin();
      const request = joinRequest(value, this.#parts.engines());
      const name = roomName(this.#exchange.caller.tenant, request);
      if (this.#rooms.has(name)) {
        acknowledge({ room: name });
        return;
      }
      if (this.#rooms.size >= roomsMax) throw limit(`the connection is in ${roomsMax} rooms, more are not kept`);
      const leaving = new AbortController();
      this.#rooms.set(name, leaving);
      void this.#fill(name, request, leaving, acknowledge);
    } catch (error) {
      acknowledge({ error: this.#statusOf(error) });
    }
  }

  /** Fills a room until the client leaves it or its source ends; never rejects. */
  async #fill(name: string, request: JoinRequest, leaving: AbortController, acknowledge: Acknowledge): Promise<void> {
    const { signal } = leaving;
    const info = infoOf(request);
    const { clock } = this.#parts;
    const startedAtMs = clock.nowMs();
    let trail: AuditTrail | undefined;
    let reached: string | undefined;
    let isJoined = false;
    let failure: Status | undefined;
    const requested = request.topic === 'objects' ? namedBy(info, request.fieldSelector ?? '') : info;
    const access = new RoomAccess({ caller: this.#exchange.caller, info, requested, authorize: this.#parts.authorize, clock });
    try {
      trail = await this.#beginAudit(info);
      const view = await access.begin();
      const warnings = this.#warnings(request);
      this.#exchange.parts.add(access);
      const stands = (further: readonly string[] = []): void => {
        isJoined = true;
        trail?.streaming?.({ status: 200, impersonated: this.#exchange.impersonated, decision: access.decision });
        void this.#socket.join(name);
        const all = [...warnings, ...further];
        acknowledge({ room: name, ...(all.length > 0 && { warnings: all }) });
      };
      const send = async (packet: string | Buffer, upTo?: string): Promise<void> => {
        await access.stands();
        await this.#outbox.send(packet);
        reached = upTo ?? reached;
      };
      const room = { name, signal: AbortSignal.any([signal, access.lost]), stands, send };
      await this.#fillWith(room, request.topic === 'objects' ? narrowedSelectors(request, view) : request);
      access.lost.throwIfAborted();
    } catch (error) {
      // A source that ends because access was lost may fail with another error; the lost access is the cause.
      if (!signal.aborted) failure = this.#statusOf(access.lost.aborted ? access.lost.reason : error);
    }
    this.#exchange.parts.delete(access);
    const hasLeft = signal.aborted;
    await this.#endAudit(trail, startedAtMs, failure, access.decision);
    leaving.abort();
    if (this.#rooms.get(name) === leaving) this.#rooms.delete(name);
    void this.#socket.leave(name);
    if (!isJoined && failure !== undefined) acknowledge({ error: failure });
    else if (isJoined && !hasLeft) this.#tellClosed(name, reached, failure);
  }

  async #fillWith(room: Room, request: JoinRequest): Promise<void> {
    const { pages, clock, frames, subresources } = this.#parts;
    if (request.topic === 'metrics') {
      if (request.engine !== platformEngine)
        throw apiErrors.TAP_REQUEST_PATH_UNKNOWN({ message: `engine ${request.engine} has no metrics of its own` });
      return fillMetricsRoom(room, request, pages, clock);
    }
    if (request.topic === 'logs') return fillLogRoom(room, subresources(), request, this.#exchange);
    return fillObjectRoom(room, this.#engineOf(request), request, frames);
  }

  /** Returns the warning about a deprecated version and counts its use, as for a request. */
  #warnings(request: JoinRequest): readonly string[] {
    const kind = request.topic === 'objects' ? this.#parts.engines().get(request.engine)?.find(request.target.kind) : undefined;
    const text = kind && deprecationOf(kind);
    if (kind === undefined || text === undefined) return [];
    this.#parts.deprecatedUse(kind, this.#exchange.caller);
    return [text];
  }

  /** @throws TAP_REQUEST_PATH_UNKNOWN */
  #engineOf({ engine, target: { kind: path, namespace } }: JoinRequest & { readonly topic: 'objects' }): EnginePort {
    const found = this.#parts.engines().get(engine);
    const kind = found?.find(path);
    const isFit = kind !== undefined && kind.verbs.includes('watch') && (namespace === undefined || kind.scope === 'Namespaced');
    if (found !== undefined && isFit) return found;
    throw apiErrors.TAP_REQUEST_PATH_UNKNOWN({
      message: `engine ${engine} has no ${path.plural} of ${path.group}/${path.version} to watch here`,
    });
  }

  /** Tells the client why a room was closed, and from which version to resume. */
  #tellClosed(room: string, resourceVersion: string | undefined, failure: Status | undefined): void {
    const resync = failure?.code === 410;
    this.#socket.emit('closed', {
      room,
      ...(resourceVersion !== undefined && { resourceVersion }),
      resync,
      ...(failure && { error: failure }),
    });
    // Disconnects a client that has not read for too long; it can return and join with its last resourceVersion.
    if (failure?.details !== undefined && codeOf(failure).errorCode === 'TAP_REQUEST_SLOW_READER') this.#socket.disconnect(true);
  }

  #beginAudit(info: RequestInfo): AuditTrail | Promise<AuditTrail> {
    const { audit, clock } = this.#parts;
    return beginPart(audit, this.#exchange, { info, beganAtMs: clock.nowMs(), path: info.path, query: 'watch=true' });
  }

  /** Completes the audit event; a failing sink is only logged, because the room has already ended. */
  async #endAudit(
    trail: AuditTrail | undefined,
    startedAtMs: number,
    failure: Status | undefined,
    decision: AccessDecision | undefined,
  ): Promise<void> {
    const { clock, log } = this.#parts;
    const { impersonated, requestId } = this.#exchange;
    const durationMs = clock.nowMs() - startedAtMs;
    const outcome = { status: failure?.code ?? 200, ...codeOf(failure), impersonated, decision, durationMs };
    try {
      await trail?.end(outcome);
    } catch (error) {
      log.error('the end of a room was not audited', { requestId, error });
    }
  }

  #leave(value: unknown, acknowledge: Acknowledge): void {
    const name = typeof value === 'object' && value !== null && 'room' in value ? value.room : undefined;
    const room = typeof name === 'string' ? this.#rooms.get(name) : undefined;
    if (typeof name !== 'string' || room === undefined) {
      const message = 'leave: room: expected the name of a room that has been joined';
      acknowledge({ error: this.#statusOf(apiErrors.TAP_SOCKET_JOIN_INVALID({ field: 'room', message })) });
      return;
    }
    this.#rooms.delete(name);
    room.abort();
    acknowledge({ room: name });
  }

  /** Answers an event that is none of ours; it counts as a join, so that it is no way around the limit. */
  #refuseEvent(event: unknown, acknowledge: Acknowledge): void {
    try {
      this.#takeJoin();
      const found = JSON.stringify(String(event).slice(0, eventCharsShownMax));
      throw apiErrors.TAP_SOCKET_JOIN_INVALID({ message: `event: expected join or leave, found ${found}` });
    } catch (error) {
      acknowledge({ error: this.#statusOf(error) });
    }
  }

  #leaveAll(): void {
    for (const room of this.#rooms.values()) room.abort();
    this.#rooms.clear();
  }

  /** Takes a token from a bucket that refills with time. @throws TAP_SOCKET_LIMIT */
  #takeJoin(): void {
    const nowMs = this.#parts.clock.nowMs();
    this.#joinsLeft = Math.min(joinsAtOnceMax, this.#joinsLeft + (Math.max(0, nowMs - this.#joinedAtMs) / 1000) * joinsPerSecond);
    this.#joinedAtMs = nowMs;
    if (this.#joinsLeft < 1) throw limit(`more than ${joinsPerSecond} rooms a second are joined`);
    this.#joinsLeft -= 1;
  }

  #statusOf(error: unknown): Status {
    const body = publicError(error, this.#exchange.requestId);
    if (body.spec.httpStatus >= 500)
      this.#parts.log.error(body.message, { code: body.code, requestId: this.#exchange.requestId, cause: error });
    return failureStatus(body);
  }
}

/** Returns the equivalent request, which is authorized and audited. */
function infoOf(request: JoinRequest): RequestInfo {
  const { engine, topic } = request;
  if (topic === 'metrics') return { engine, path: '/metrics', verb: 'get' };
  const { kind, namespace, name, subresource } = request.target;
  const root = kind.group === '' ? ['api', kind.version] : ['apis', kind.group, kind.version];
  const place = namespace === undefined ? [] : ['namespaces', namespace];
  const parts = [...root, ...place, kind.plural, name, subresource].filter((part) => part !== undefined);
  return { engine, path: `/${parts.join('/')}`, verb: topic === 'logs' ? 'get' : 'watch', target: request.target };
}

function codeOf(failure: Status | undefined): { readonly errorCode?: string } {
  const code = failure?.details?.code;
  return code === undefined ? {} : { errorCode: code };
}

function acknowledgeOf(given: unknown): Acknowledge {
  return typeof given === 'function' ? (given as Acknowledge) : () => {};
}

function limit(message: string): Error {
  return apiErrors.TAP_SOCKET_LIMIT({ message, retryAfterMs: 1000 });
}
