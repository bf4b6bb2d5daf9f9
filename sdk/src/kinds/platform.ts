import { Type } from 'typebox';
import { defineKind, type ObjectOf } from '../kinds.js';
import { commonStatus } from './condition.js';

/** A customer of the platform: owns namespaces and everything in them. */
export const Tenant = defineKind({
  group: 'platform.tappaas.dev',
  kind: 'Tenant',
  plural: 'tenants',
  version: 'v1alpha1',
  scope: 'Cluster',
  description: 'A customer of the platform: owns namespaces, and sees nothing of other tenants.',
  spec: Type.Object({
    displayName: Type.Optional(Type.String({ maxLength: 128, description: 'Name for people.' })),
    contact: Type.Optional(Type.String({ maxLength: 256, description: 'Contact for questions.' })),
    requests: Type.Optional(
      Type.Object(
        {
          perSecond: Type.Optional(
            Type.Number({ minimum: 0.1, maximum: 10_000_000, description: 'Requests per second, all its users together.' }),
          ),
          burst: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000_000, description: 'Requests in a burst after a pause.' })),
        },
        { description: 'Request rate of the tenant, all processes together. Default: api.flow.tenant of the configuration.' },
      ),
    ),
    suspended: Type.Optional(Type.Boolean({ description: 'Refuses writes of the tenant; running applications continue.' })),
  }),
  status: Type.Object({ namespaces: Type.Optional(Type.Integer({ description: 'How many namespaces it owns.' })), ...commonStatus }),
  columns: [{ name: 'Name', path: '.spec.displayName', description: 'Name for people.' }],
});

/** A loaded plugin as the kernel sees it; read only. */
export const PluginStatus = defineKind({
  group: 'platform.tappaas.dev',
  kind: 'Plugin',
  plural: 'plugins',
  version: 'v1alpha1',
  scope: 'Cluster',
  description: 'A loaded plugin: state, version, hooks, permissions and open circuit breakers. Written by the platform.',
  spec: Type.Object({
    use: Type.String({ description: 'Package it was loaded from.' }),
    version: Type.String({ description: 'Version of the package.' }),
    id: Type.String({ description: 'The plugin’s own id; the object’s name is the instance id.' }),
  }),
  status: Type.Object({
    state: Type.Optional(Type.String({ description: 'Ready, Failed, Stopped or Off.' })),
    mode: Type.Optional(Type.String({ description: 'enforce, shadow (its taps are called and change nothing) or off.' })),
    initMs: Type.Optional(Type.Number({ description: 'How long its start took, milliseconds.' })),
    hooks: Type.Optional(Type.Array(Type.String(), { description: 'Hooks it has joined.' })),
    provides: Type.Optional(Type.Array(Type.String(), { description: 'Services it owns.' })),
    kinds: Type.Optional(Type.Array(Type.String(), { description: 'Kinds it contributes.' })),
    permissions: Type.Optional(Type.Array(Type.String(), { description: 'What it may do.' })),
    openBreakers: Type.Optional(
      Type.Array(Type.String(), { description: 'Hooks at which its circuit breaker is open, in any process of the platform.' }),
    ),
    openBreakerProcesses: Type.Optional(
      Type.Array(
        Type.Object({
          hook: Type.String({ description: 'Hook at which a circuit breaker is open.' }),
          processes: Type.Array(Type.String(), {
            description: 'Processes in which it is open: primary, or a worker of the API such as w1.',
          }),
        }),
        { description: 'Where the open circuit breakers are: each process has its own.' },
      ),
    ),
    ...commonStatus,
  }),
  columns: [
    { name: 'Package', path: '.spec.use', description: 'Package it was loaded from.' },
    { name: 'Version', path: '.spec.version', description: 'Version of the package.' },
    { name: 'State', path: '.status.state', description: 'Whether it runs.' },
    { name: 'Mode', path: '.status.mode', description: 'Whether its taps decide.', wide: true },
    { name: 'Init-ms', path: '.status.initMs', type: 'number', description: 'Start time in milliseconds.', wide: true },
    { name: 'Hooks', path: '.status.hooks[*]', description: 'Hooks it has joined.', wide: true },
    { name: 'Kinds', path: '.status.kinds[*]', description: 'Kinds it contributes.', wide: true },
    { name: 'Permissions', path: '.status.permissions[*]', description: 'What it may do.', wide: true },
  ],
});

/** A Tenant object. */
export type TenantObject = ObjectOf<typeof Tenant>;
/** A Plugin object: the state of a plugin, as the API serves it. */
export type PluginStatusObject = ObjectOf<typeof PluginStatus>;
