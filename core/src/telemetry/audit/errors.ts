import { errorTable } from '@tappaas/sdk';

/** Errors of the audit log. */
export const auditErrors = errorTable({
  TAP_AUDIT_UNAVAILABLE: {
    httpStatus: 503,
    blame: 'platform',
    retry: 'back-off',
    remedy: 'Try again later; an operator finds in the log which audit sink does not keep up.',
  },
  TAP_AUDIT_KEY: {
    httpStatus: 500,
    blame: 'platform',
    retry: 'never',
    remedy: 'Restore the signing key of audit from its backup with mode 600, or move the file away to go on with a new key.',
  },
  TAP_AUDIT_SINK_UNKNOWN: {
    httpStatus: 500,
    blame: 'caller',
    retry: 'never',
    remedy: 'Name an instance of a plugin that provides an audit sink, or remove it from audit.sinks.',
  },
  TAP_AUDIT_NOT_READABLE: {
    httpStatus: 501,
    blame: 'caller',
    retry: 'never',
    remedy: 'Load a sink that reads back, such as telemetry-audit-file, or search where the configured sinks send their lines.',
  },
  TAP_AUDIT_QUERY_INVALID: {
    httpStatus: 400,
    blame: 'caller',
    retry: 'never',
    remedy: 'Correct the parameter; tappaas audit search --help lists the parameters.',
  },
});
