import type { EngineHandle, Host, Immutable, Node } from '@tappaas/sdk';
import { definitionOf } from '@tappaas/sdk/definitions';
import { lifecycleErrors } from '../errors.js';
import type { ConnectEngine, RegisteredColumn } from '../registrations.js';
import { emptyRecord, type ProvidedService, type SetupRecord } from './setup-record.js';

/** Functions that registrations return for later use. */
export interface HostDevices {
  readonly connectEngine: ConnectEngine;
  /** Returns a function that adds to a counter of the plugin. */
  readonly counter: (metric: CounterOptions) => (labels: Readonly<Record<string, string>>, by?: number) => void;
}

export interface CounterOptions {
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly string[];
  readonly seriesMax: number;
}

/** The host passed to `setup`, and what was registered with it. `close` ends registration. */
export interface OpenHost {
  readonly host: Host<unknown>;
  readonly record: SetupRecord;
  close(): void;
}

/** Collects registrations and does nothing else, so that the build's recorder and the kernel see the same. */
export function openHost(instance: string, devices: HostDevices): OpenHost {
  const record = emptyRecord();
  let open = true;
  const registering = (verb: string): void => {
    if (open) return;
    throw lifecycleErrors.TAP_SETUP_CLOSED({ message: `plugin ${instance} called ${verb} after setup had returned` });
  };
  const add = <T>(verb: string, list: T[], value: T): void => {
    registering(verb);
    list.push(value);
  };
  const host: Host<unknown> = {
    id: instance,
    tap(hook, options, run) {
      const declaration = definitionOf(hook, 'hook');
      if (declaration === undefined) throw new TypeError('host.tap takes one of the hooks of the SDK');
      add('tap', record.taps, { hook: declaration, options: options, run: run });
    },
    provide(service, make, dispose) {
      add('provide', record.provides, { service, make, dispose: dispose as ProvidedService['dispose'] });
    },
    kind(kind, behaviour) {
      add('kind', record.kinds, behaviour === undefined ? { kind } : { kind, behaviour: behaviour });
    },
    controller: (controller) => add('controller', record.controllers, controller as SetupRecord['controllers'][number]),
    action: (action) => add('action', record.actions, action),
    field: (field) => add('field', record.fields, field),
    http: (route) => add('http', record.routes, route),
    engine(options): EngineHandle {
      add('engine', record.engines, options);
      return { name: options.name, connection: (user) => devices.connectEngine(options.name, user) };
    },
    column(column) {
      const { registered, changed } = openColumn(column);
      add('column', record.columns, registered);
      return Object.freeze({ name: column.name, unit: column.unit, '~column': true as const, changed });
    },
    task: (task) => add('task', record.tasks, task),
    counter(metric) {
      add('counter', record.counters, metric.name);
      return devices.counter(metric);
    },
    onStart: (run) => add('onStart', record.starts, run),
    onStop: (run) => add('onStop', record.stops, run),
    onConfig: (apply) => add('onConfig', record.configs, apply),
  };
  return { host: Object.freeze(host), record, close: () => void (open = false) };
}

function openColumn(column: { name: string; unit: string; description: string; of(node: Immutable<Node>): number }): {
  registered: RegisteredColumn;
  changed: () => void;
} {
  const listeners = new Set<() => void>();
  const { name, unit, description } = column;
  const registered: RegisteredColumn = {
    name,
    unit,
    description,
    of: (node) => column.of(node),
    onChanged(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
  return {
    registered,
    changed() {
      for (const listener of listeners) listener();
    },
  };
}
