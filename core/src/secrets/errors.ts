import { errorTable } from '@tappaas/sdk';

const platform = { httpStatus: 503, blame: 'platform', retry: 'back-off' } as const;

/** Errors of sealing and opening. No message contains a value or a key. */
export const sealErrors = errorTable({
  TAP_SEAL_KEY_FILE: {
    ...platform,
    retry: 'never',
    remedy: 'Restore the key file from its copy, which is kept apart from backups of the data.',
  },
  TAP_SEAL_KEY_EXPOSED: {
    ...platform,
    retry: 'never',
    remedy: 'Make the key file readable by the platform only (chmod 600), then rotate the key.',
  },
  TAP_SEAL_KEY_UNKNOWN: { ...platform, retry: 'never', remedy: 'Put the key with that id back into the key file.' },
  TAP_SEAL_BROKEN: {
    ...platform,
    httpStatus: 500,
    retry: 'never',
    remedy: 'Restore the object from a backup: its sealed bytes were changed or moved.',
  },
});
