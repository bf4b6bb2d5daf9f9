import type { ConfigMap, Container, EnvVarSource, Immutable, KubernetesSecret, Pod } from '@tappaas/sdk';
import { parseQuantity, quantityPieces } from '@tappaas/sdk/quantity';
import { hostPortKey } from '../../annotations.js';

type Variables = Readonly<Record<string, string>>;

/** The sources of a container's environment. */
export interface EnvironmentSources {
  readonly pod: Immutable<Pod>;
  readonly container: Immutable<Container>;
  /** Variables of the host: PATH, locale, temporary directory. */
  readonly base: Variables;
  readonly image: Variables;
  /** Addresses of the services of the namespace. */
  readonly services: Variables;
  readonly hostPorts: Readonly<Record<string, number>>;
  readonly configMaps: ReadonlyMap<string, Immutable<ConfigMap>>;
  readonly secrets: ReadonlyMap<string, Immutable<KubernetesSecret>>;
  /** Resources of the node, used for limits that are not set. */
  readonly capacity: Readonly<Record<string, number>>;
}

/** The environment, or the missing object that it needs. */
export type Environment =
  | { readonly variables: Variables; readonly missing?: undefined }
  | { readonly missing: string; readonly variables?: undefined };

/**
 * Builds the environment of a container.
 *
 * A variable that names a service (`$(CATALOG_SERVICE_HOST)`) makes the container wait until the service exists, because a process started
 * without it would keep the wrong address for its lifetime.
 *
 * Later sources win: host, image, services, envFrom, env, and finally the assigned ports, which nothing may override. `PORT` is the first
 * declared TCP port, `PORT_<NAME>` each named one.
 */
export function environmentOf(sources: EnvironmentSources): Environment {
  const { container } = sources;
  const ports = portVariables(container, sources.hostPorts);
  const variables: Record<string, string> = {
    ...sources.base,
    ...sources.image,
    ...serviceLinks(sources),
  };
  for (const { prefix = '', configMapRef, secretRef } of container.envFrom ?? []) {
    const found = configMapRef
      ? sources.configMaps.get(configMapRef.name ?? '')?.data
      : decoded(sources.secrets.get(secretRef?.name ?? ''));
    const ref = configMapRef ?? secretRef;
    if (found === undefined && ref?.optional !== true) return { missing: `${configMapRef ? 'config map' : 'secret'} "${ref?.name ?? ''}"` };
    for (const [key, value] of Object.entries(found ?? {})) variables[prefix + key] = value;
  }
  for (const { name, value, valueFrom } of container.env ?? []) {
    const found = valueFrom ? sourced(valueFrom, sources) : { value: expanded(value ?? '', { ...variables, ...ports }) };
    if (found.missing !== undefined) return { missing: found.missing };
    const absent = serviceNamedIn(valueFrom ? '' : (found.value ?? ''));
    if (absent !== undefined) return { missing: `the service behind $(${absent})` };
    if (found.value !== undefined) variables[name] = found.value;
  }
  return { variables: { ...variables, ...ports } };
}

/** The first variable of a service that a text refers to. */
function serviceNamedIn(text: string): string | undefined {
  return text
    .matchAll(/\$\(([A-Z0-9_]+)\)/g)
    .map(([, name = '']) => name)
    .find((name) => /._SERVICE_(?:HOST|PORT)/.test(name));
}

/** Maximum number of service variables that every container gets; beyond it, a container gets only those that it refers to. */
const serviceVariablesMax = 2000;

function serviceLinks({ pod, container, services }: EnvironmentSources): Variables {
  if (pod.spec?.enableServiceLinks === false) return {};
  const all = Object.entries(services);
  if (all.length <= serviceVariablesMax) return services;
  const named = JSON.stringify([container.env ?? [], container.command ?? [], container.args ?? []]);
  return Object.fromEntries(all.filter(([name]) => named.includes(`$(${name})`)));
}

/** Replaces `$(NAME)` by the variable's value. `$$` stands for `$`, so `$$(NAME)` is kept literally; an unknown name is left unchanged. */
export function expanded(text: string, variables: Variables): string {
  return text.replace(/\$(\$|\(([^()]*)\))/g, (whole: string, escaped: string, name: string | undefined) => {
    if (escaped === '$') return '$';
    return ownValue(variables, name ?? '') ?? whole;
  });
}

function portVariables(container: Immutable<Container>, hostPorts: Readonly<Record<string, number>>): Variables {
  const ports = (container.ports ?? []).map((port) => ({ ...port, host: hostPorts[hostPortKey(container.name, port)] }));
  const first = ports.find(({ protocol }) => (protocol ?? 'TCP') === 'TCP') ?? ports[0];
  const named = ports.flatMap(({ name, host }) =>
    name === undefined || host === undefined ? [] : [[`PORT_${variableName(name)}`, String(host)] as const],
  );
  return { ...(first?.host === undefined ? {} : { PORT: String(first.host) }), ...Object.fromEntries(named) };
}

/** Converts a name to the form of environment variables. */
export const variableName = (name: string): string => name.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_');

type Sourced = { readonly value?: string; readonly missing?: string };

function sourced(from: Immutable<EnvVarSource>, sources: EnvironmentSources): Sourced {
  if (from.configMapKeyRef) {
    const { name = '', key, optional } = from.configMapKeyRef;
    return keyed(ownValue(sources.configMaps.get(name)?.data, key), `key "${key}" of config map "${name}"`, optional);
  }
  if (from.secretKeyRef) {
    const { name = '', key, optional } = from.secretKeyRef;
    return keyed(ownValue(decoded(sources.secrets.get(name)), key), `key "${key}" of secret "${name}"`, optional);
  }
  if (from.fieldRef) return keyed(fieldOf(sources.pod, from.fieldRef.fieldPath), `field ${from.fieldRef.fieldPath}`, false);
  if (from.resourceFieldRef) {
    const { resource, divisor } = from.resourceFieldRef;
    const [list, name = ''] = resource.split('.') as ['limits' | 'requests', string?];
    const given = parseQuantity(sources.container.resources?.[list]?.[name]);
    const amount = given ?? parseQuantity(list === 'limits' ? sources.capacity[name] : 0) ?? zero;
    return { value: String(quantityPieces(amount, parseQuantity(divisor)?.nanos || wholeNanos)) };
  }
  return { missing: 'a source that is served here: configMapKeyRef, secretKeyRef, fieldRef or resourceFieldRef' };
}

const zero = { nanos: 0n, notation: 'decimal' } as const;
/** One core or one byte, the meaning of an absent or zero divisor. */
const wholeNanos = 1_000_000_000n;

/** Looks up an own property only: names come from users, and every object inherits properties such as `constructor`. */
function ownValue<T>(values: Readonly<Record<string, T>> | undefined, name: string): T | undefined {
  return values !== undefined && Object.hasOwn(values, name) ? values[name] : undefined;
}

const keyed = (value: string | undefined, what: string, optional: boolean | undefined): Sourced =>
  value !== undefined ? { value } : optional ? {} : { missing: what };

/** The value of a pod field that containers may refer to. */
export function fieldOf(pod: Immutable<Pod>, path: string): string | undefined {
  const subscript = /^metadata\.(labels|annotations)\['(.+)'\]$/.exec(path);
  if (subscript) return ownValue(pod.metadata[subscript[1] as 'labels' | 'annotations'], subscript[2] ?? '') ?? '';
  const fields: Readonly<Record<string, string | undefined>> = {
    'metadata.name': pod.metadata.name,
    'metadata.namespace': pod.metadata.namespace,
    'metadata.uid': pod.metadata.uid,
    'spec.nodeName': pod.spec?.nodeName,
    'spec.serviceAccountName': pod.spec?.serviceAccountName ?? 'default',
    'status.podIP': '127.0.0.1',
    'status.podIPs': '127.0.0.1',
    'status.hostIP': '127.0.0.1',
    'status.hostIPs': '127.0.0.1',
  };
  return ownValue(fields, path);
}

function decoded(secret: Immutable<KubernetesSecret> | undefined): Variables | undefined {
  if (secret === undefined) return undefined;
  return Object.fromEntries(Object.entries(secret.data ?? {}).map(([key, value]) => [key, Buffer.from(value, 'base64').toString('utf8')]));
}
