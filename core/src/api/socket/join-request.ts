import { platformEngine } from '@tappaas/sdk';
import type { EnginePort, Target } from '../../ports/engine.js';
import { apiErrors } from '../errors.js';

/** A validated `join`. With different ids, a client may join the same room more than once. */
export type JoinRequest = { readonly id?: string } & (
  | (About & {
      readonly topic: 'objects';
      readonly labelSelector?: string;
      readonly fieldSelector?: string;
      readonly resourceVersion?: string;
    })
  | (About & { readonly topic: 'logs'; readonly query: Readonly<Record<string, string>> })
  | { readonly topic: 'metrics'; readonly engine: string; readonly names: readonly string[] }
);

interface About {
  readonly engine: string;
  readonly target: Target;
}

const textCharsMax = 1024;
const charsShownMax = 40;
const namesMax = 20;
const metricName = /^[a-zA-Z_:][a-zA-Z0-9_:]{0,199}$/;
const pathPart = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,252}$/;

/**
 * Validates the argument of `join`: `{ topic, … }`. `events` and `operations` are shorthands for the objects of those kinds.
 *
 * @throws TAP_SOCKET_JOIN_INVALID
 */
export function joinRequest(value: unknown, engines: ReadonlyMap<string, EnginePort>): JoinRequest {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid('', 'expected an object with a topic');
  const fields = new Map(Object.entries(value));
  const topic = textOf(fields, 'topic') ?? '';
  const read = Object.hasOwn(readers, topic) ? readers[topic] : undefined;
  if (read === undefined) throw invalid('topic', `expected one of ${topics.join(', ')}, found ${shown(topic)}`);
  const engine = partOf(fields, 'engine') ?? platformEngine;
  const id = partOf(fields, 'id');
  const request = { ...read(fields, engine, engines), ...(id !== undefined && { id }) };
  const [unknown] = fields.keys();
  if (unknown !== undefined) throw invalid(unknown.slice(0, 40), `not known for the topic ${topic}`);
  return request;
}

type Fields = Map<string, unknown>;
type Reader = (fields: Fields, engine: string, engines: ReadonlyMap<string, EnginePort>) => JoinRequest;

const readers: Readonly<Record<string, Reader>> = {
  objects: (fields, engine) => {
    const [group, version, plural] = ['group', 'version', 'plural'].map((name) => partOf(fields, name));
    if (version === undefined || plural === undefined) throw invalid('plural', 'expected version and plural of a kind');
    return objectsOf(fields, engine, { group: group ?? '', version, plural });
  },
  events: (fields, engine) => objectsOf(fields, engine, { group: '', version: 'v1', plural: 'events' }),
  operations: (fields, engine, engines) => {
    const kind = engines
      .get(engine)
      ?.kinds()
      .find((each) => each.group === 'ops.tappaas.dev' && each.plural === 'operations');
    const { version } = kind ?? { version: 'v1' };
    return objectsOf(fields, engine, { group: 'ops.tappaas.dev', version, plural: 'operations' });
  },
  logs: (fields, engine) => {
    const [namespace, pod, container] = ['namespace', 'pod', 'container'].map((name) => partOf(fields, name));
    if (namespace === undefined || pod === undefined) throw invalid('pod', 'expected namespace and pod');
    const [sinceTime, tailLines] = ['sinceTime', 'tailLines'].map((name) => textOf(fields, name));
    const query = {
      follow: 'true',
      timestamps: 'true',
      ...(container !== undefined && { container }),
      ...(sinceTime !== undefined && { sinceTime }),
      ...(tailLines !== undefined && { tailLines }),
    };
    const kind = { group: '', version: 'v1', plural: 'pods' };
    return { topic: 'logs', engine, target: { kind, namespace, name: pod, subresource: 'log' }, query };
  },
  metrics: (fields, engine) => {
    const names = fields.get('names');
    fields.delete('names');
    return { topic: 'metrics', engine, names: [...new Set(metricNames(names))].toSorted() };
  },
};

/** The topics of rooms. */
export const topics: readonly string[] = Object.keys(readers);

/** @throws TAP_SOCKET_JOIN_INVALID */
function metricNames(names: unknown): readonly string[] {
  const room = 'the room metrics takes';
  if (!Array.isArray(names)) throw invalid('names', `${room} a list of 1 to ${namesMax} names of metrics, found ${shown(names)}`);
  if (names.length === 0 || names.length > namesMax)
    throw invalid('names', `${room} 1 to ${namesMax} names of metrics, found ${names.length}`);
  const isName = (name: unknown): name is string => typeof name === 'string' && metricName.test(name);
  const bad: unknown = names.find((name) => !isName(name));
  if (bad === undefined && names.every(isName)) return names;
  throw invalid('names', `${room} names of metrics, such as tappaas_api_requests_total, found ${shown(bad)}`);
}

function objectsOf(fields: Fields, engine: string, kind: Target['kind']): JoinRequest {
  const namespace = selectedPart(fields, 'namespace');
  const name = selectedPart(fields, 'name');
  const labelSelector = textOf(fields, 'labelSelector');
  const requested = textOf(fields, 'fieldSelector');
  const resourceVersion = textOf(fields, 'resourceVersion');
  if (resourceVersion !== undefined && !/^\d{1,20}$/.test(resourceVersion)) {
    throw invalid('resourceVersion', 'expected a resourceVersion from a list, a get or an event');
  }
  const fieldSelector = [...(name === undefined ? [] : [`metadata.name=${name}`]), ...(requested === undefined ? [] : [requested])].join(
    ',',
  );
  return {
    topic: 'objects',
    engine,
    target: { kind, ...(namespace !== undefined && { namespace }) },
    ...(labelSelector !== undefined && { labelSelector }),
    ...(fieldSelector !== '' && { fieldSelector }),
    ...(resourceVersion !== undefined && { resourceVersion }),
  };
}

/** Returns the name of a room. It contains the tenant, so that tenants never share a room. */
export function roomName(tenant: string | undefined, request: JoinRequest): string {
  const { topic, engine, id } = request;
  const name = nameOf(topic, tenant, engine, request);
  return id === undefined ? name : `${name} id=${id}`;
}

function nameOf(topic: string, tenant: string | undefined, engine: string, request: JoinRequest): string {
  const head = [topic, tenant === undefined ? '' : `tenant=${tenant}`, engine];
  if (request.topic === 'metrics') return [...head, ...request.names].join(' ');
  const { kind, namespace, name } = request.target;
  const place = [`${kind.group}/${kind.version}/${kind.plural}`, namespace ?? '', name ?? ''];
  if (request.topic === 'logs') return [...head, ...place, request.query['container'] ?? ''].join(' ');
  return [...head, ...place, request.labelSelector ?? '', request.fieldSelector ?? ''].join(' ');
}

function textOf(fields: Fields, name: string): string | undefined {
  const value = fields.get(name);
  fields.delete(name);
  if (value === undefined || value === '') return undefined;
  if (typeof value === 'number' && Number.isSafeInteger(value)) return String(value);
  if (typeof value !== 'string' || value.length > textCharsMax) throw invalid(name, `expected text of at most ${textCharsMax} characters`);
  return value;
}

/** Reads text that may be part of a path and of a room's name. */
function partOf(fields: Fields, name: string): string | undefined {
  const text = textOf(fields, name);
  if (text !== undefined && !pathPart.test(text)) throw invalid(name, 'expected a name: letters, digits, "-", "." and ":"');
  return text;
}

/** Reads what selects the objects of a room. An empty one is not taken as any: the room would contain objects that were not asked for. */
function selectedPart(fields: Fields, name: 'namespace' | 'name'): string | undefined {
  if (fields.get(name) === '') throw invalid(name, `expected the ${name} to follow, or none for all, found an empty text`);
  return partOf(fields, name);
}

/** Formats a value of a request for an error message. */
function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > charsShownMax ? `${text.slice(0, charsShownMax)}…` : text;
}

function invalid(field: string, problem: string): Error {
  return apiErrors.TAP_SOCKET_JOIN_INVALID({
    ...(field !== '' && { field }),
    message: `join: ${field === '' ? '' : `${field}: `}${problem}`,
  });
}
