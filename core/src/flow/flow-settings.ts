import { Type } from '@tappaas/sdk';
import type { Rate } from './token-bucket.js';

/** The flow-control limits in force. */
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

/** The limits that apply when nothing is configured. */
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
      perSecond: Type.Number({ default: perSecond, minimum: 0.1, maximum: 10_000_000, description: 'Requests per second.' }),
      burst: Type.Integer({ default: burst, minimum: 1, maximum: 10_000_000, description: 'Requests in a burst after a pause.' }),
    },
    { default: {}, description },
  );

const count = (value: number, description: string) => Type.Integer({ default: value, minimum: 1, maximum: 1_000_000, description });

/**
 * The configuration's `api.flow`. Limits of a tenant or user apply to all API processes together; limits on the work of a process apply
 * to each process. Limits of an individual tenant are in its Tenant object.
 */
export const flowSection = Type.Object(
  {
    tenant: rate(defaultFlowSettings.tenant, 'Rate of a tenant, all its users together; a Tenant may set its own in spec.requests.'),
    user: rate(defaultFlowSettings.user, 'Rate of a user, with or without a tenant.'),
    system: rate(defaultFlowSettings.system, 'Rate of an administrator; administrators’ requests have a level of their own.'),
    requestsMax: count(defaultFlowSettings.requestsMax, 'Concurrent requests of a level, in each process.'),
    requestsPerPrincipalMax: count(
      defaultFlowSettings.requestsPerPrincipalMax,
      'Concurrent requests of one tenant, or of one user without a tenant.',
    ),
    heavyRequestsMax: count(
      defaultFlowSettings.heavyRequestsMax,
      'Concurrent requests of a level with a large body (128 KiB) or many keys (400), in each process; always one per tenant, or per user without a tenant.',
    ),
    queuedMax: count(defaultFlowSettings.queuedMax, 'Waiting requests of a level, in each process.'),
    queuedPerPrincipalMax: count(
      defaultFlowSettings.queuedPerPrincipalMax,
      'Waiting requests of one tenant, or of one user without a tenant, in each process.',
    ),
    waitMsMax: count(defaultFlowSettings.waitMsMax, 'How long a request waits before it is refused, in milliseconds.'),
    streamsMax: count(defaultFlowSettings.streamsMax, 'Concurrent watches, logs and other streams.'),
    streamsPerPrincipalMax: count(
      defaultFlowSettings.streamsPerPrincipalMax,
      'Concurrent streams of one tenant, or of one user without a tenant.',
    ),
  },
  { default: {}, description: 'Concurrency and rate limits for requests, per tenant and user.' },
);
