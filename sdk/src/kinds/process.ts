import { Type } from 'typebox';
import { listByName, oneOf } from './condition.js';

const name = (what: string) =>
  Type.String({
    pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$',
    maxLength: 63,
    description: `Name of the ${what}: lower-case letters, digits, hyphens.`,
  });

const quantity = (description: string) => Type.String({ pattern: '^[0-9]+(\\.[0-9]+)?(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?$', description });

/** Where the value of an environment variable comes from; exactly one. */
const valueFrom = Type.Object(
  {
    secret: Type.Optional(
      Type.Object(
        { name: name('Secret'), key: Type.String({ description: 'Key in the Secret.' }) },
        { description: 'A key of a Secret in the same namespace.' },
      ),
    ),
    config: Type.Optional(
      Type.Object(
        { key: Type.String({ description: 'Configuration key.' }) },
        { description: 'The effective value of a configuration key.' },
      ),
    ),
    application: Type.Optional(
      Type.Object(
        {
          name: name('application'),
          process: Type.Optional(
            Type.String({ maxLength: 63, description: 'Process that has the port; default: the only one with such a port, or web.' }),
          ),
          port: Type.String({ description: 'Name of one of its ports.' }),
        },
        { description: 'Address of another application of the namespace: a URL for HTTP, otherwise host:port. Also a dependency.' },
      ),
    ),
  },
  { minProperties: 1, maxProperties: 1, description: 'Where the value comes from; exactly one.' },
);

/** Environment variables; an entry has `value` or `from`. */
export const envSchema = Type.Array(
  Type.Object({
    name: Type.String({ pattern: '^[A-Za-z_][A-Za-z0-9_]*$', maxLength: 128, description: 'Name of the variable.' }),
    value: Type.Optional(Type.String({ maxLength: 131_072, description: 'The value itself; secrets belong in from.' })),
    from: Type.Optional(valueFrom),
  }),
  { maxItems: 1000, description: 'Environment variables.', ...listByName },
);

const probe = Type.Object(
  {
    http: Type.Optional(
      Type.Object(
        {
          path: Type.String({ pattern: '^/', description: 'Path requested with GET; status 200 to 399 is healthy.' }),
          port: Type.String({ description: 'Name of the port.' }),
        },
        { description: 'Sends an HTTP request.' },
      ),
    ),
    tcp: Type.Optional(
      Type.Object(
        { port: Type.String({ description: 'Name of the port that must accept connections.' }) },
        { description: 'Opens a TCP connection.' },
      ),
    ),
    exec: Type.Optional(
      Type.Object(
        { command: Type.Array(Type.String(), { minItems: 1, maxItems: 64, description: 'Healthy when it ends with 0.' }) },
        { description: 'Runs a command.' },
      ),
    ),
    initialDelaySeconds: Type.Optional(Type.Integer({ minimum: 0, maximum: 3600, description: 'Wait before the first check.' })),
    periodSeconds: Type.Optional(Type.Integer({ minimum: 1, maximum: 3600, description: 'Time between two checks.' })),
    timeoutSeconds: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 300, description: 'A check without an answer for this time has failed.' }),
    ),
    failureThreshold: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 100, description: 'Failures in a row that make the process unhealthy.' }),
    ),
  },
  { description: 'How health is checked: http, tcp or exec.' },
);

/** One process of an application: a service, a worker, a release task or a schedule. */
export const processSchema = Type.Object({
  name: name('process'),
  image: Type.Optional(Type.String({ maxLength: 512, description: 'An image of its own; default: the application’s.' })),
  command: Type.Optional(
    Type.Array(Type.String({ maxLength: 4096 }), { maxItems: 256, description: 'What to run; default: the image’s.' }),
  ),
  replicas: Type.Integer({ minimum: 0, maximum: 10_000, default: 1, description: 'How many run at once.' }),
  phase: Type.Optional(oneOf(['Run', 'Release'], { description: 'Release: runs once before traffic moves to a new release.' })),
  schedule: Type.Optional(Type.String({ maxLength: 128, description: 'Runs at these times instead of continuously: five cron fields.' })),
  timeZone: Type.Optional(Type.String({ maxLength: 64, description: 'Time zone of the schedule; default UTC.' })),
  ports: Type.Optional(
    Type.Array(
      Type.Object({
        name: name('port'),
        port: Type.Integer({ minimum: 1, maximum: 65_535, description: 'Number the process would listen on in a container.' }),
        protocol: oneOf(['HTTP', 'TCP', 'UDP', 'GRPC'], { default: 'HTTP', description: 'Protocol of the port.' }),
      }),
      { maxItems: 64, description: 'Ports it listens on; given to it as PORT and PORT_<NAME>.', ...listByName },
    ),
  ),
  resources: Type.Optional(
    Type.Object(
      {
        cpu: Type.Optional(quantity('Processor time per second, such as 250m.')),
        memory: Type.Optional(quantity('Memory, such as 256Mi.')),
        ephemeralStorage: Type.Optional(quantity('Disk for temporary files.')),
        gpu: Type.Optional(Type.Integer({ minimum: 0, maximum: 64, description: 'Whole GPUs.' })),
        networkMbps: Type.Optional(Type.Integer({ minimum: 0, maximum: 400_000, description: 'Network bandwidth, megabits per second.' })),
      },
      { description: 'What one replica needs.' },
    ),
  ),
  probes: Type.Optional(
    Type.Object(
      { readiness: Type.Optional(probe), liveness: Type.Optional(probe), startup: Type.Optional(probe) },
      { description: 'How health is checked.' },
    ),
  ),
  env: Type.Optional(envSchema),
  volumeMounts: Type.Optional(
    Type.Array(
      Type.Object({
        name: name('volume'),
        path: Type.String({ pattern: '^/', maxLength: 1024, description: 'Absolute path in the process.' }),
      }),
      {
        maxItems: 32,
        description: 'Where the application’s volumes appear.',
        ...listByName,
      },
    ),
  ),
  terminationSeconds: Type.Optional(Type.Integer({ minimum: 0, maximum: 3600, description: 'Time to exit after SIGTERM; default 30.' })),
});

export { name as nameSchema, quantity as quantitySchema };
