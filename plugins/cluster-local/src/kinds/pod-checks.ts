import { deny, type Container, type Denial, type Immutable, type PodSpec } from '@tappaas/sdk';

const nameForm = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const envForm = /^[-._a-zA-Z][-._a-zA-Z0-9]*$/;

/** The validation rules of kube-apiserver that matter most to authors of pods; `path` is the prefix of field names. */
export function checkPodSpec(spec: Immutable<PodSpec> | undefined, path: string): Denial[] {
  if (spec === undefined) return [required(path)];
  const denials: Denial[] = [];
  if (spec.containers.length === 0) denials.push(required(`${path}.containers`));
  const names = new Set<string>();
  const volumes = new Set((spec.volumes ?? []).map(({ name }) => name));
  if (volumes.size < (spec.volumes?.length ?? 0)) denials.push(duplicate(`${path}.volumes`, 'volume names must differ'));
  const groups: readonly (readonly [string, readonly Immutable<Container>[]])[] = [
    ['containers', spec.containers],
    ['initContainers', spec.initContainers ?? []],
  ];
  for (const [group, containers] of groups) {
    for (const [index, container] of containers.entries()) {
      const at = `${path}.${group}[${index}]`;
      if (names.has(container.name)) denials.push(duplicate(`${at}.name`, `container name "${container.name}" is taken`));
      names.add(container.name);
      denials.push(...checkContainer(container, volumes, at));
      if (group === 'initContainers' && container.restartPolicy === undefined && container.readinessProbe) {
        denials.push(invalid(`${at}.readinessProbe`, 'an init container runs to its end and is never asked for readiness'));
      }
    }
  }
  return denials;
}

function checkContainer(container: Immutable<Container>, volumes: ReadonlySet<string>, at: string): Denial[] {
  const denials: Denial[] = [];
  if (container.name.length > 63 || !nameForm.test(container.name)) {
    denials.push(invalid(`${at}.name`, 'expected up to 63 lower-case letters, digits and hyphens'));
  }
  if ((container.image ?? '') === '') denials.push(required(`${at}.image`));
  for (const [index, mount] of (container.volumeMounts ?? []).entries()) {
    if (!volumes.has(mount.name)) {
      denials.push({ field: `${at}.volumeMounts[${index}].name`, reason: 'NotFound', message: `the pod has no volume "${mount.name}"` });
    }
  }
  for (const [index, { name }] of (container.env ?? []).entries()) {
    if (!envForm.test(name)) denials.push(invalid(`${at}.env[${index}].name`, `"${name}" is not a name of an environment variable`));
  }
  const ports = container.ports ?? [];
  const portNames = ports.flatMap(({ name }) => (name === undefined ? [] : [name]));
  if (new Set(portNames).size < portNames.length) denials.push(duplicate(`${at}.ports`, 'port names must differ'));
  for (const [index, { containerPort }] of ports.entries()) {
    if (containerPort < 1 || containerPort > 65_535) denials.push(invalid(`${at}.ports[${index}].containerPort`, 'expected 1 to 65535'));
  }
  for (const probe of ['readinessProbe', 'livenessProbe', 'startupProbe'] as const) denials.push(...checkProbe(container, probe, at));
  return denials;
}

function checkProbe(container: Immutable<Container>, which: 'readinessProbe' | 'livenessProbe' | 'startupProbe', at: string): Denial[] {
  const probe = container[which];
  if (probe === undefined) return [];
  const handlers = [probe.exec, probe.httpGet, probe.tcpSocket, probe.grpc].filter((handler) => handler !== undefined);
  if (handlers.length === 0) return [required(`${at}.${which}`, 'one of exec, httpGet, tcpSocket, grpc')];
  if (handlers.length > 1) return [invalid(`${at}.${which}`, 'a probe has one handler, found more')];
  if (which !== 'readinessProbe' && (probe.successThreshold ?? 1) !== 1) {
    return [invalid(`${at}.${which}.successThreshold`, 'must be 1 here')];
  }
  return [];
}

/** Denies a missing field. */
export function required(field: string, what = 'a value'): Denial {
  return deny({ field, reason: 'Required', message: `expected ${what}, found none` });
}

/** Denies an invalid value. */
export function invalid(field: string, message: string): Denial {
  return deny({ field, reason: 'Invalid', message });
}

function duplicate(field: string, message: string): Denial {
  return deny({ field, reason: 'Duplicate', message });
}
