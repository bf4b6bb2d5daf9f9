import { deny, type Denial, type Immutable } from '@tappaas/sdk';
import type { ApplicationObject } from '@tappaas/sdk/kinds';
import { isTask } from './tasks.js';

type Spec = Immutable<ApplicationObject>['spec'];

/**
 * Validates rules across fields: routes, mounts and probes refer to existing parts, and features that no loaded plugin supports are
 * refused.
 */
export function checkApplication(application: Immutable<ApplicationObject>): readonly Denial[] {
  const { spec } = application;
  return [
    ...unsupported(spec),
    ...tasks(spec),
    ...routes(spec),
    ...probes(spec),
    ...mounts(spec),
    ...environment(spec),
    ...dependencies(application),
  ];
}

function unsupported(spec: Spec): Denial[] {
  const denials: Denial[] = [];
  const refuse = (field: string, message: string) => denials.push(deny({ field, reason: 'Unsupported', message }));
  if (spec.source.git) refuse('spec.source.git', 'no loaded builder fetches git repositories; upload the directory with tappaas deploy');
  if (spec.volumes?.length) refuse('spec.volumes', 'no storage class plugin is loaded that could hold volumes');
  return denials;
}

/** Validates release tasks and schedules: they end by themselves, so they have neither replicas nor ports. */
function tasks({ processes, routes = [] }: Spec): Denial[] {
  const denials: Denial[] = [];
  const refuse = (field: string, message: string) => denials.push(deny({ field, reason: 'FieldValueInvalid', message }));
  processes.forEach((process, index) => {
    const field = `spec.processes[${index}]`;
    const { name, phase, schedule, timeZone, ports = [] } = process;
    if (phase === 'Release' && schedule !== undefined)
      refuse(`${field}.schedule`, `process ${name} is a release task, so it has no schedule`);
    if (schedule !== undefined && !isSchedule(schedule)) {
      refuse(
        `${field}.schedule`,
        `"${schedule}" is no schedule; expected five cron fields such as "0 3 * * *", or @hourly, @daily, @weekly, @monthly`,
      );
    }
    if (timeZone !== undefined && schedule === undefined)
      refuse(`${field}.timeZone`, `process ${name} has no schedule that a time zone could be of`);
    if (timeZone !== undefined && !isTimeZone(timeZone))
      refuse(`${field}.timeZone`, `"${timeZone}" is no time zone; expected one such as Europe/Berlin`);
    if (isTask(process) && ports.length > 0) refuse(`${field}.ports`, `process ${name} is a task, which cannot be reached`);
    if (isTask(process) && process.replicas > 1) refuse(`${field}.replicas`, `process ${name} is a task: one runs at a time`);
  });
  if (processes.every(isTask) && routes.length > 0) refuse('spec.routes', 'no process runs all the time that a route could lead to');
  return denials;
}

const cronField = /^(\*|[0-9A-Za-z]+(-[0-9A-Za-z]+)?)(\/[0-9]+)?(,(\*|[0-9A-Za-z]+(-[0-9A-Za-z]+)?)(\/[0-9]+)?)*$/;
const macros = new Set(['@yearly', '@annually', '@monthly', '@weekly', '@daily', '@midnight', '@hourly']);

/** Checks only the form of a schedule, not whether it ever runs. */
function isSchedule(schedule: string): boolean {
  const fields = schedule.trim().split(/\s+/);
  return macros.has(schedule) || (fields.length === 5 && fields.every((field) => cronField.test(field)));
}

function isTimeZone(timeZone: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

function routes(spec: Spec): Denial[] {
  return (spec.routes ?? []).flatMap((route, index) => {
    const field = `spec.routes[${index}]`;
    const process = spec.processes.find(({ name }) => name === route.process);
    if (!process) return [missing(`${field}.process`, 'process', route.process, names(spec.processes))];
    const port = process.ports?.find(({ name }) => name === route.port);
    return port ? [] : [missing(`${field}.port`, `port of process ${process.name}`, route.port, names(process.ports))];
  });
}

function probes(spec: Spec): Denial[] {
  return spec.processes.flatMap((process, index) =>
    (['readiness', 'liveness', 'startup'] as const).flatMap((kind) => {
      const probe = process.probes?.[kind];
      const field = `spec.processes[${index}].probes.${kind}`;
      if (probe === undefined) return [];
      const ways = [probe.http, probe.tcp, probe.exec].filter((way) => way !== undefined).length;
      if (ways !== 1) return [deny({ field, reason: 'FieldValueInvalid', message: `needs exactly one of http, tcp, exec; found ${ways}` })];
      const port = probe.http?.port ?? probe.tcp?.port;
      const known = names(process.ports);
      return port === undefined || known.includes(port) ? [] : [missing(`${field}.port`, `port of process ${process.name}`, port, known)];
    }),
  );
}

function mounts(spec: Spec): Denial[] {
  const known = names(spec.volumes);
  return spec.processes.flatMap((process, index) =>
    (process.volumeMounts ?? []).flatMap((mount, at) =>
      known.includes(mount.name) ? [] : [missing(`spec.processes[${index}].volumeMounts[${at}].name`, 'volume', mount.name, known)],
    ),
  );
}

function environment(spec: Spec): Denial[] {
  const lists = [
    { field: 'spec.env', env: spec.env },
    ...spec.processes.map((process, index) => ({ field: `spec.processes[${index}].env`, env: process.env })),
  ];
  return lists.flatMap(({ field, env }) =>
    (env ?? []).flatMap((variable, index) => {
      const at = `${field}[${index}]`;
      if ((variable.value === undefined) === (variable.from === undefined)) {
        return [deny({ field: at, reason: 'FieldValueInvalid', message: `variable ${variable.name} needs exactly one of value, from` })];
      }
      return variable.from?.config
        ? [
            deny({
              field: `${at}.from.config`,
              reason: 'Unsupported',
              message: 'no configuration plugin is loaded that could settle configuration keys',
            }),
          ]
        : [];
    }),
  );
}

function dependencies({ metadata, spec }: Immutable<ApplicationObject>): Denial[] {
  return (spec.dependencies ?? []).flatMap(({ name }, index) =>
    name === metadata.name
      ? [
          deny({
            field: `spec.dependencies[${index}].name`,
            reason: 'FieldValueInvalid',
            message: 'an application cannot depend on itself',
          }),
        ]
      : [],
  );
}

const names = (list: readonly { readonly name: string }[] | undefined) => (list ?? []).map(({ name }) => name);

function missing(field: string, what: string, found: string, known: readonly string[]): Denial {
  return deny({ field, reason: 'FieldValueNotFound', message: `no ${what} is named "${found}"; there is: ${known.join(', ') || 'none'}` });
}
