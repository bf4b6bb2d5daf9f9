import { defineService } from '../service.js';
import type { CredentialRegister } from './identity.js';
import type { MetricsSource } from './metrics.js';

/** Services that the platform itself provides; a plugin needs them like any other. */
export const platformServices = Object.freeze({
  metrics: defineService<MetricsSource>({ id: 'tappaas/metrics', contract: 1 }),
  credentials: defineService<CredentialRegister>({ id: 'tappaas/credentials', contract: 1 }),
});
