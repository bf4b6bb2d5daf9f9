import { ApiError } from '@tappaas/client';
import { CliError } from '../cli-error.js';
import { exitCodes, type Invocation } from '../command.js';
import { print } from '../print.js';

const path = '/plugins/platform/sealing-keys';

interface Keys {
  readonly current: string;
  readonly all: readonly string[];
  readonly examined?: number;
  readonly resealed?: number;
  readonly isComplete?: boolean;
}

/** `tappaas secrets keys|rotate|reencrypt|retire KEY`: manages the keys with which Secrets are sealed in the store. */
export async function secrets(invocation: Invocation): Promise<number> {
  const [verb = '', key = ''] = invocation.positionals;
  if (!['keys', 'rotate', 'reencrypt', 'retire'].includes(verb) || (verb === 'retire') !== (key !== ''))
    throw new CliError(`secrets: found "${[verb, key].join(' ').trim()}"`, {
      remedy: 'Usage: tappaas secrets keys, rotate, reencrypt, or retire KEY.',
      exitCode: exitCodes.usage,
    });
  const client = await invocation.client();
  const query = new URLSearchParams({ change: verb, ...(key !== '' && { key }) });
  const answer =
    verb === 'keys'
      ? await client.send(path)
      : await client.send(`${path}?${query.toString()}`, { method: 'POST', body: '', timeoutMs: 120_000 });
  if (answer.status >= 300) throw ApiError.of(answer);
  const keys = JSON.parse(answer.text) as Keys;
  await print(invocation, keys, () => `${list(keys)}${verb === 'retire' ? '' : next(keys)}`);
  return exitCodes.ok;
}

const list = ({ current, all }: Keys): string => all.map((key) => `${key}${key === current ? '  seals' : '  only opens'}\n`).join('');

function next({ current, all, examined, resealed, isComplete }: Keys): string {
  if (isComplete === undefined) return '';
  if (!isComplete) return `\n${resealed} values resealed with ${current}, more are left: run tappaas secrets reencrypt again.\n`;
  const old = all.find((key) => key !== current);
  const done = `\nAll ${examined} values are sealed with ${current}, ${resealed} of them since now.\n`;
  return old === undefined
    ? done
    : `${done}To remove the old one: tappaas secrets retire ${old}\nWho logged in through OpenID before logs in again then.\n`;
}
