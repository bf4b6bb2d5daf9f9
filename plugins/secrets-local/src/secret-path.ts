import { createHash } from 'node:crypto';
import { secretErrors } from '@tappaas/sdk';

const charactersMax = 512;
const form = /^[A-Za-z0-9_-][A-Za-z0-9._-]*(?:\/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$/;

/** The file name of a secret: a digest, so that no path leads outside the directory. @throws TAP_SECRET_FORBIDDEN */
export function fileNameOf(path: string): string {
  if (path.length <= charactersMax && form.test(path)) return `${createHash('sha256').update(path).digest('hex')}.secret`;
  const shown = JSON.stringify(path.slice(0, 64));
  throw secretErrors.TAP_SECRET_FORBIDDEN({
    message: `path ${shown}: expected at most ${charactersMax} letters, digits, ".", "_" and "-" with "/" between names`,
    field: 'path',
  });
}
