import { defineErrors } from '@tappaas/sdk';

const broken = { httpStatus: 503, blame: 'upstream', retry: 'never' } as const;

/** Errors of this store's files. */
export const errors = defineErrors({
  SECRETS_LOCAL_KEY_INSIDE: { ...broken, remedy: 'Choose a keyFile outside of the directory, so that no backup holds both.' },
  SECRETS_LOCAL_KEY_EXPOSED: { ...broken, remedy: 'Make the key file readable for its owner only: chmod 600.' },
  SECRETS_LOCAL_KEY_UNREADABLE: { ...broken, remedy: 'Restore the key file from where a copy of it is kept.' },
  SECRETS_LOCAL_DAMAGED: { ...broken, remedy: 'Restore the file from a backup, with the key file that belongs to it.' },
  SECRETS_LOCAL_TOO_LARGE: {
    httpStatus: 413,
    blame: 'caller',
    retry: 'never',
    remedy: 'Keep large data elsewhere, and only its key here.',
  },
});
