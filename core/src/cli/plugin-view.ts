import { duration, textTable } from './table.js';

/** The parts of a Plugin object that commands read. */
export interface PluginView {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly use: string; readonly version: string; readonly id: string };
  readonly status?: {
    readonly state?: string;
    readonly mode?: string;
    readonly initMs?: number;
    readonly hooks?: readonly string[];
    readonly provides?: readonly string[];
    readonly kinds?: readonly string[];
    readonly permissions?: readonly string[];
    readonly openBreakers?: readonly string[];
    readonly openBreakerProcesses?: readonly { readonly hook: string; readonly processes: readonly string[] }[];
    readonly conditions?: readonly { readonly type: string; readonly status: string; readonly message?: string }[];
  };
}

const some = (items: readonly string[] = []): string => (items.length === 0 ? '-' : items.join(', '));
const many = (items: readonly string[] = []): string => (items.length === 0 ? '-' : String(items.length));
const initOf = ({ status }: PluginView): string => (status?.initMs === undefined ? '-' : duration(status.initMs));

/** Formats plugins, one per line: the numbers of hooks, kinds and permissions, or with `wide` their names. */
export function pluginTable(plugins: readonly PluginView[], wide: boolean): string {
  const shown = wide ? some : many;
  return textTable(
    ['NAME', 'PACKAGE', 'VERSION', 'STATE', 'INIT', 'HOOKS', 'KINDS', 'PERMISSIONS'],
    plugins.map((plugin) => {
      const { metadata, spec, status } = plugin;
      const { state = '-', hooks, kinds, permissions } = status ?? {};
      return [metadata.name, spec.use, spec.version || '-', state, initOf(plugin), shown(hooks), shown(kinds), shown(permissions)];
    }),
  );
}

/** Describes one plugin in full. */
export function describePlugin(plugin: PluginView): string {
  const { metadata, spec, status = {} } = plugin;
  const { state = '-', mode = '-', hooks, kinds, provides, permissions, conditions = [] } = status;
  const shadow = mode === 'shadow' ? ' (asked, but changing nothing)' : '';
  const problems = conditions.filter((condition) => condition.status === 'False').map(({ message = '' }) => message);
  const rows: readonly (readonly [string, readonly string[]])[] = [
    ['Plugin', [`${metadata.name} (${spec.id})`]],
    ['Package', [`${spec.use} ${spec.version}`.trim()]],
    ['State', [state]],
    ['Mode', [`${mode}${shadow}`]],
    ['Init', [initOf(plugin)]],
    ['Hooks', (hooks ?? []).map((hook) => `${hook}${breakerOf(status, hook)}`)],
    ['Kinds', kinds ?? []],
    ['Provides', provides ?? []],
    ['Permissions', permissions ?? []],
    ['Problems', problems],
  ];
  const lines = rows.flatMap(([title, values]) =>
    (values.length === 0 ? ['-'] : values).map((value, n) => `${(n === 0 ? title : '').padEnd(14)}${value}`),
  );
  return `${lines.join('\n')}\n`;
}

/** Describes an open breaker of a hook; each process has its own breakers. */
function breakerOf({ openBreakers = [], openBreakerProcesses = [] }: NonNullable<PluginView['status']>, hook: string): string {
  if (!openBreakers.includes(hook)) return '';
  const processes = openBreakerProcesses.find((each) => each.hook === hook)?.processes ?? [];
  return ` (breaker open${processes.length === 0 ? '' : ` in ${processes.join(', ')}`}: skipped for a while)`;
}
