import { defineErrors } from '@tappaas/sdk';

/** Errors of this plugin's files. */
export const errors = defineErrors({
  IDENTITY_MTLS_FILE_UNUSABLE: {
    httpStatus: 503,
    blame: 'upstream',
    retry: 'back-off',
    remedy: 'Put a PEM file there with the content that the setting describes.',
  },
});

export function unusable(file: string, problem: string, cause?: unknown): Error {
  return errors.IDENTITY_MTLS_FILE_UNUSABLE({ message: `${file}: ${problem}`, ...(cause !== undefined && { cause }) });
}
