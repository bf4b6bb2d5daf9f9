import { CliError } from './cli-error.js';
import { exitCodes } from './command.js';

/** The address of a platform as it may be written: `HOST:PORT`, too. @throws CliError */
export function httpsAddress(text: string): string {
  const url = URL.parse(text.includes('://') ? text : `https://${text}`);
  if (url?.protocol === 'https:') return url.origin + url.pathname.replace(/\/$/, '');
  throw new CliError(`"${text}" is no https address`, {
    remedy: 'Write it as https://HOST:PORT; a token is never sent unencrypted.',
    exitCode: exitCodes.usage,
  });
}

/** Likewise; what stands before a platform on this machine may speak http. @throws CliError */
export function serverAddress(text: string): string {
  return /^http:\/\/(?:127\.0\.0\.1|localhost|\[::1\])(?::\d+)?(?:\/|$)/.test(text) && URL.canParse(text) ? text : httpsAddress(text);
}

/** Says whether two addresses name the same platform: several may have one host, each below a path of its own. */
export function isSameAddress(one: string, other: string): boolean {
  const [first, second] = [new URL(one), new URL(other)];
  return first.origin === second.origin && first.pathname.replace(/\/$/, '') === second.pathname.replace(/\/$/, '');
}

/** A token without the line break that files and secrets end with. @throws CliError when no header can carry it */
export function sayable(token: string): string {
  const trimmed = token.trim();
  if (/^[\x21-\x7e]+$/.test(trimmed)) return trimmed;
  throw new CliError('the token holds blanks, line breaks or other characters that no token has', {
    remedy: 'Give it as it was shown, in $TAPPAAS_TOKEN or with --token.',
    exitCode: exitCodes.usage,
  });
}
