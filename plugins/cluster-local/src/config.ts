import { Type } from '@tappaas/sdk';

const port = (description: string, value: number) => Type.Integer({ default: value, minimum: 1024, maximum: 65_535, description });

/** The plugin's configuration. */
export const config = Type.Object({
  directory: Type.String({ default: './data/local', description: 'Where pods, their logs and unpacked images are kept.' }),
  images: Type.String({
    default: './data/images',
    description: 'OCI image layout that pods’ images are taken from; builds write the same one.',
  }),
  httpPort: port('Port on loopback where applications answer by host name.', 8080),
  hostSuffix: Type.String({ default: 'localhost', description: 'Suffix of the host names of applications; must resolve to this machine.' }),
  nodes: Type.Integer({
    default: 1,
    minimum: 1,
    maximum: 100,
    description: 'Number of nodes that this machine presents; they share its resources equally.',
  }),
  cpuOvercommit: Type.Number({
    default: 10,
    minimum: 1,
    maximum: 100,
    description:
      'Factor by which the CPU requests of all pods together may exceed this machine’s processors; the CPU time of a pod is not limited here.',
  }),
  podsMax: Type.Integer({ default: 250, minimum: 1, maximum: 10_000, description: 'Maximum number of pods on this machine.' }),
  podPortFirst: port('First of the ports given to pods.', 20_000),
  podPortLast: port('Last of the ports given to pods; the system takes outgoing ports from 32768 on.', 32_767),
  servicePortFirst: port('First of the loopback ports of services.', 10_000),
  servicePortLast: port('Last of the loopback ports of services.', 19_999),
  gracePeriodSeconds: Type.Integer({
    default: 300,
    minimum: 0,
    maximum: 86_400,
    description: 'How long pods and traffic continue after the platform has died, seconds.',
  }),
  drainSeconds: Type.Number({
    default: 5,
    minimum: 0,
    maximum: 300,
    description: 'Longest wait for requests under way before a pod is asked to end, seconds.',
  }),
  connectionsMax: Type.Integer({
    default: 10_000,
    minimum: 1,
    maximum: 1_000_000,
    description: 'Maximum number of concurrent connections to the HTTP port.',
  }),
  logBytesMax: Type.Integer({
    default: 10_485_760,
    minimum: 65_536,
    maximum: 1_073_741_824,
    description: 'Size at which a container’s log is rotated, bytes; one older part is kept.',
  }),
  restartFirstSeconds: Type.Number({
    default: 10,
    minimum: 0.01,
    maximum: 3600,
    description: 'Delay before the second restart of a container, seconds; doubles from there.',
  }),
  restartMostSeconds: Type.Number({
    default: 300,
    minimum: 0.01,
    maximum: 86_400,
    description: 'Longest delay before a restart, seconds.',
  }),
  restartResetSeconds: Type.Number({
    default: 600,
    minimum: 0.01,
    maximum: 86_400,
    description: 'A container that ran this long starts over with short delays, seconds.',
  }),
});
