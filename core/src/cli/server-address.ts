import { CliError } from './cli-error.js';
import { exitCodes } from './command.js';

/** Normalizes the address of a platform; `HOST:PORT` is accepted as well. @throws CliError */
export function httpsAddress(text: string): string {
  const url = URL.parse(text.includes('://') ? text : `https://${text}`);
  if (url?.protocol === 'https:') return url.origin + url.pathname.replace(/\/$/, '');
  throw new CliError(`"${text}" is no https address`, {
    remedy: 'Write it as https://HOST:PORT; a token is never sent unencrypted.',
    exitCode: exitCodes.usage,
  });
}

/** As {@link httpsAddress}, but allows http on this machine, for a local proxy in front of a platform. @throws CliError */
export function serverAddress(text: string): string {
  return /^http:\/\/(?:127\.0\.0\.1|localhost|\[::1\])(?::\d+)?(?:\/|$)/.test(text) && URL.canParse(text) ? text : httpsAddress(text);
}

/** Whether two addresses name the same platform; several platforms may share a host under different paths. */
export function isSameAddress(one: string, other: string): boolean {
  const [first, second] = [new URL(one), new URL(other)];
  return first.origin === second.origin && first.pathname.replace(/\/$/, '') === second.pathname.replace(/\/$/, '');
}

/** Removes the line break at the end of a token from a file or secret. @throws CliError when it cannot be sent in a header */
export function sayable(token: string): string {
  const trimmed = token.trim();
  if (/^[\x21-\x7e]+$/.test(trimmed)) return trimmed;
  throw new CliError('the token holds blanks, line breaks or other characters that no token has', {
    remedy: 'Give it as it was shown, in $TAPPAAS_TOKEN or with --token.',
    exitCode: exitCodes.usage,
  });
}
