/** A login at a provider that grants each next token once, and ends the log-in of whoever shows a refresh token twice. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { UnreachableError } from '@tappaas/client';
import { CliError } from '../../dist/cli/cli-error.js';
import { exitCodes } from '../../dist/cli/command.js';
import { GrantedToken, type GrantedLogin, type Renew } from '../../dist/cli/granted-token.js';
import { readLogin, removeLogin, writeLogin } from '../../dist/cli/login-file.js';

const lifeMs = 300_000;

class Provider {
  nowMs = 0;
  isDown = false;
  requested = 0;
  #granted = 0;

  readonly renew: Renew = async (login) => {
    this.requested += 1;
    if (this.isDown) throw new CliError('the provider cannot be reached', { remedy: '', exitCode: exitCodes.unavailable });
    if (login.refreshToken !== `refresh-${this.#granted}`) throw new Error('a refresh token came twice');
    this.#granted += 1;
    return this.#grant(login);
  };

  first(): GrantedLogin {
    const login = { issuer: 'https://id.example', clientId: 'cli', scopes: ['openid'], refreshToken: '', expiresAtMs: 0 };
    return { server: 'https://platform.example', ...this.#grant(login) };
  }

  #grant(login: GrantedLogin['openid']) {
    const expiresAtMs = this.nowMs + lifeMs;
    return { token: `token-${this.#granted}`, openid: { ...login, refreshToken: `refresh-${this.#granted}`, expiresAtMs } };
  }
}

async function given(t: ExecutionContext) {
  const home = await mkdtemp(join(tmpdir(), 'tappaas-login-'));
  t.teardown(() => rm(home, { recursive: true, force: true }));
  const [provider, env] = [new Provider(), { TAPPAAS_HOME: home }];
  const login = provider.first();
  await writeLogin(env, login);
  const token = () => new GrantedToken({ env, nowMs: () => provider.nowMs }, login, provider.renew);
  return { provider, env, login, token };
}

test('a command that goes on gets each next token, and it is stored', async (t) => {
  const { provider, env, token } = await given(t);
  const ours = token();
  t.is(ours.now(), 'token-0', 'nobody is asked while it is good');
  for (const next of ['token-1', 'token-2', 'token-3']) {
    provider.nowMs += lifeMs - 60_000;
    t.deepEqual(await Promise.all([ours.now(), ours.now(), ours.later()]), [next, next, next]);
    t.is((await readLogin(env))?.token, next);
  }
  t.is(provider.requested, 3, 'however many need it at once');
});

test('commands that need the next token at the same time are given the same one', async (t) => {
  const { provider, token } = await given(t);
  provider.nowMs = lifeMs;
  t.deepEqual(await Promise.all(Array.from({ length: 5 }, async () => token().now())), Array(5).fill('token-1'));
  t.is(provider.requested, 1);
});

test('a provider that is away for a while ends nothing: the token is used as long as it is good, then it is asked again', async (t) => {
  const { provider, token } = await given(t);
  const ours = token();
  provider.isDown = true;
  provider.nowMs = lifeMs - 1;
  t.is(await ours.later(), 'token-0');
  provider.nowMs = lifeMs;
  t.true((await t.throwsAsync(ours.later(), { instanceOf: UnreachableError }))?.isPassing);
  await t.throwsAsync(Promise.resolve(ours.now()), { instanceOf: CliError });
  provider.isDown = false;
  t.is(await ours.later(), 'token-1');
});

test('whoever has logged out meanwhile, or in elsewhere, keeps what is stored', async (t) => {
  const { provider, env, login, token } = await given(t);
  const ours = token();
  provider.nowMs = lifeMs;
  const other = { server: 'https://other.example', token: 'tapp_other' };
  await writeLogin(env, other);
  t.is(await ours.now(), 'token-1', 'the command goes on as whom it began');
  t.deepEqual(await readLogin(env), other);
  await removeLogin(env);
  provider.nowMs = 2 * lifeMs;
  t.is(await ours.now(), 'token-2');
  t.is(await readLogin(env), undefined);
  t.is(login.token, 'token-0');
});

test('a login without a refresh token is used as it is', async (t) => {
  const { provider, env, login } = await given(t);
  provider.nowMs = 2 * lifeMs;
  const once = { ...login, openid: { ...login.openid, refreshToken: '' } };
  t.is(new GrantedToken({ env, nowMs: () => provider.nowMs }, once, provider.renew).now(), 'token-0');
});
