import { Type } from '@tappaas/sdk';
import type { Rate } from './token-bucket.js';

/** Limits as they are in force. */
export interface FlowSettings {
  readonly tenant: Rate;
  readonly user: Rate;
  readonly system: Rate;
  readonly requestsMax: number;
  readonly requestsPerPrincipalMax: number;
  readonly heavyRequestsMax: number;
  readonly queuedMax: number;
  readonly queuedPerPrincipalMax: number;
  readonly waitMsMax: number;
  readonly streamsMax: number;
  readonly streamsPerPrincipalMax: number;
}

/** What holds without any configuration. */
export const defaultFlowSettings: FlowSettings = {
  tenant: { perSecond: 1000, burst: 2000 },
  user: { perSecond: 500, burst: 1000 },
  system: { perSecond: 5000, burst: 10_000 },
  requestsMax: 400,
  requestsPerPrincipalMax: 200,
  heavyRequestsMax: 1,
  queuedMax: 4000,
  queuedPerPrincipalMax: 400,
  waitMsMax: 5000,
  streamsMax: 10_000,
  streamsPerPrincipalMax: 1000,
};

const rate = ({ perSecond, burst }: Rate, description: string) =>
  Type.Object(
    {
      perSecond: Type.Number({ default: perSecond, minimum: 0.1, maximum: 10_000_000, description: 'Requests a second.' }),
      burst: Type.Integer({ default: burst, minimum: 1, maximum: 10_000_000, description: 'Requests at once after a pause.' }),
    },
    { default: {}, description },
  );

const count = (value: number, description: string) => Type.Integer({ default: value, minimum: 1, maximum: 1_000_000, description });

/**
 * The configuration's `api.flow`. What somebody may have holds for all processes of the API together, what bounds a process's work for
 * each. What differs for one tenant stands in its Tenant object.
 */
export const flowSection = Type.Object(
  {
    tenant: rate(defaultFlowSettings.tenant, 'Of a tenant, all its users together; a Tenant may have its own in spec.requests.'),
    user: rate(defaultFlowSettings.user, 'Of a user, whether or not it has a tenant.'),
    system: rate(defaultFlowSettings.system, 'Of an administrator, whose requests have a level of their own.'),
    requestsMax: count(defaultFlowSettings.requestsMax, 'Requests of a level that run at once, in each process.'),
    requestsPerPrincipalMax: count(
      defaultFlowSettings.requestsPerPrincipalMax,
      'Requests of one tenant, or of one user without a tenant, that run at once.',
    ),
    heavyRequestsMax: count(
      defaultFlowSettings.heavyRequestsMax,
      'Requests of a level with a large body (128 KiB) or many keys (400) that are worked on at once, in each process; of one principal always one.',
    ),
    queuedMax: count(defaultFlowSettings.queuedMax, 'Requests of a level that wait, in each process.'),
    queuedPerPrincipalMax: count(
      defaultFlowSettings.queuedPerPrincipalMax,
      'Requests of one tenant, or of one user without a tenant, that wait, in each process.',
    ),
    waitMsMax: count(defaultFlowSettings.waitMsMax, 'How long a request waits before it is refused, in milliseconds.'),
    streamsMax: count(defaultFlowSettings.streamsMax, 'Watches, logs and other streams that run at once.'),
    streamsPerPrincipalMax: count(defaultFlowSettings.streamsPerPrincipalMax, 'Streams of one tenant, or of one user without a tenant.'),
  },
  { default: {}, description: 'How many requests of whom are served at once, and how fast.' },
);
