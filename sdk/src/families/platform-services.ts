import { defineService } from '../service.js';
import type { AuditRecorder } from './audit-recorder.js';
import type { CredentialRegister } from './identity.js';
import type { MetricsSource } from './metrics.js';
import type { SealingService } from './sealing.js';
import type { TokenService } from './tokens.js';

/** Services that the platform itself provides; a plugin lists them in `needs` like any other service. */
export const platformServices = Object.freeze({
  metrics: defineService<MetricsSource>({ id: 'tappaas/metrics', contract: 1 }),
  tokens: defineService<TokenService>({ id: 'tappaas/tokens', contract: 1 }),
  sealing: defineService<SealingService>({ id: 'tappaas/sealing', contract: 1 }),
  audit: defineService<AuditRecorder>({ id: 'tappaas/audit', contract: 1 }),
  credentials: defineService<CredentialRegister>({ id: 'tappaas/credentials', contract: 1 }),
});
