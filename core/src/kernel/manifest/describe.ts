import type { HookDeclaration, Permissions, Service } from '@tappaas/sdk';
import type { AnyTapOptions } from '../hooks/tap.js';
import type { SetupRecord } from '../setup/setup-record.js';
import {
  instancePlaceholder,
  type ManifestNeed,
  type ManifestParts,
  type ManifestPermissions,
  type ManifestService,
  type ManifestTap,
} from './manifest.js';

/** Registrations in manifest form. Names equal to the instance's id become `{instance}`. */
export interface Description {
  readonly taps: readonly ManifestTap[];
  readonly provides: readonly ManifestService[];
  readonly parts: ManifestParts;
}

export function describe(record: SetupRecord, instance: string): Description {
  const named = (name: string): string => (name === instance ? instancePlaceholder : name);
  return {
    taps: record.taps.map(({ hook, options }) => describeTap(hook, options, named)),
    provides: record.provides.map(({ service }) => describeService(service)),
    parts: describeParts(record, named),
  };
}

export const kindName = (kind: { readonly group: string; readonly kind: string }): string => `${kind.group}/${kind.kind}`;

function describeTap(hook: HookDeclaration, options: AnyTapOptions, named: (name: string) => string): ManifestTap {
  const { name, kinds, engine, operations, sideEffects, stores, phase, conditions, before, after, timeoutMs, failurePolicy } = options;
  return withoutAbsent({
    hook: hook.name,
    contract: hook.contract,
    name,
    kinds: kinds?.map(kindName),
    engine: engine === undefined ? undefined : named(engine),
    operations,
    sideEffects,
    stores,
    phase,
    conditions,
    before,
    after,
    timeoutMs,
    failurePolicy,
  });
}

function withoutAbsent<T extends object>(value: { readonly [P in keyof T]: T[P] | undefined }): T {
  return Object.fromEntries(Object.entries(value).filter(([, part]) => part !== undefined)) as T;
}

const describeService = ({ id, contract, arity }: Service<unknown>): ManifestService => ({ id, contract, arity });

export function describeNeeds(needs: Readonly<Record<string, Service<unknown>>>): readonly ManifestNeed[] {
  return Object.entries(needs).map(([as, service]) => ({ as, ...describeService(service), optional: service.optional }));
}

export function describePermissions(permissions: Permissions): ManifestPermissions {
  const { resources, ...others } = permissions;
  if (resources === undefined) return others;
  return { resources: resources.map(({ kind, verbs }) => ({ kind: kindName(kind), verbs })), ...others };
}

function describeParts(record: SetupRecord, named: (name: string) => string): ManifestParts {
  return {
    kinds: record.kinds.map(({ kind }) => ({ group: kind.group, version: kind.version, kind: kind.kind })),
    controllers: record.controllers.map((controller) => ({
      kind: kindName(controller.kind),
      ...(controller.engine === undefined ? {} : { engine: named(controller.engine) }),
      renders: controller.render !== undefined,
    })),
    actions: record.actions.map(({ on, name, description, long }) => ({ kind: kindName(on), name, description, long: long ?? false })),
    fields: record.fields.map(({ on, name, description }) => ({ kind: kindName(on), name, description })),
    routes: record.routes.map(({ method, path, auth, description }) => ({ method, path, auth, description })),
    engines: record.engines.map(({ name, description, kinds }) => ({
      name: named(name),
      description,
      kinds: kinds.map(({ kind }) => kindName(kind)),
    })),
    columns: record.columns.map(({ name, unit, description }) => ({ name, unit, description })),
    tasks: record.tasks.map(({ name, on, everyMs }) => ({ name, on, everyMs })),
    counters: [...record.counters],
    lifecycle: { starts: record.starts.length, stops: record.stops.length, takesConfig: record.configs.length > 0 },
  };
}
