import { closedSchema } from '../config/closed-schema.js';
import type { JsonSchema } from '../manifest/manifest.js';

/** Version of the configuration file format. */
export const platformApiVersion = 'tappaas.dev/v1alpha1';

/** Restricted because the instance id is used as a metric label, in names of field managers and in paths. */
export const instanceIdPattern = '^[a-z][a-z0-9]*(-[a-z0-9]+)*$';

const hookLimit = {
  type: 'object',
  description: 'Limits of the plugin at this hook.',
  additionalProperties: false,
  properties: {
    timeoutMs: {
      type: 'integer',
      minimum: 1,
      maximum: 900_000,
      description: 'Time limit of one call, in milliseconds. Default: the plugin’s, otherwise the hook’s.',
    },
    failurePolicy: {
      enum: ['fail', 'ignore'],
      description: 'What a failed call means: fail as the hook declares, or ignore. Default: the plugin’s, otherwise the hook’s.',
    },
  },
};

const instance = {
  type: 'object',
  additionalProperties: false,
  required: ['use'],
  properties: {
    use: { type: 'string', minLength: 1, description: 'Package of the plugin.' },
    config: { description: 'Configuration of the plugin. Default: {}.' },
    mode: {
      enum: ['enforce', 'shadow', 'off'],
      default: 'enforce',
      description: 'shadow: run and record, change nothing. off: not loaded; objects of its kinds can be read and not changed.',
    },
    onBootFailure: { enum: ['stop', 'continue'], default: 'stop', description: 'Whether the platform starts when the plugin does not.' },
    limits: {
      type: 'object',
      default: {},
      description: 'Limits by hook name.',
      additionalProperties: hookLimit,
    },
  },
};

/** Makes the schema of a configuration file; `sections` are those of the composition root. */
export function platformSchema(sections: Readonly<Record<string, object>>): JsonSchema {
  const own = {
    apiVersion: { const: platformApiVersion, description: 'Version of the file format.' },
    kind: { const: 'Platform', description: 'Kind of the file.' },
    extends: { type: 'string', description: 'File that this one changes. Default: none.' },
    order: {
      type: 'object',
      default: {},
      description: 'Instances by hook name, in the order in which they are asked.',
      additionalProperties: { type: 'array', items: { type: 'string' }, uniqueItems: true },
    },
    plugins: { type: 'object', description: 'Plugins by instance id.', additionalProperties: instance },
  };
  const closed = Object.entries(sections).map(([name, schema]) => [name, closedSchema(schema, name)] as const);
  return {
    type: 'object',
    additionalProperties: false,
    required: ['apiVersion', 'kind', 'plugins'],
    properties: { ...Object.fromEntries(closed), ...own },
  };
}
