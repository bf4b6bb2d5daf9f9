import { defineErrors } from '@tappaas/sdk';

/** What can be wrong with the webhook of the audit log. */
export const errors = defineErrors({
  TELEMETRY_AUDIT_WEBHOOK_FAILED: {
    httpStatus: 503,
    blame: 'upstream',
    retry: 'back-off',
    remedy: 'Look at the receiver of the audit log: it does not answer, or refuses what it is sent.',
  },
  TELEMETRY_AUDIT_WEBHOOK_REFUSED: {
    httpStatus: 500,
    blame: 'caller',
    retry: 'never',
    remedy: 'Correct url, certificateAuthorityFile or allowedAddresses of the plugin.',
  },
});
