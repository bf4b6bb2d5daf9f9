import { defineErrors } from '@tappaas/sdk';

/** Errors of the audit log's webhook. */
export const errors = defineErrors({
  TELEMETRY_AUDIT_WEBHOOK_FAILED: {
    httpStatus: 503,
    blame: 'upstream',
    retry: 'back-off',
    remedy: 'Check the receiver of the audit log: it does not answer, or refuses the lines sent to it.',
  },
  TELEMETRY_AUDIT_WEBHOOK_REFUSED: {
    httpStatus: 500,
    blame: 'caller',
    retry: 'never',
    remedy: 'Correct url, certificateAuthorityFile or allowedAddresses of the plugin.',
  },
});
