/** A whole platform in this process, with everything it has logged, and people who have credentials of their own. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startPlatform, type Platform } from '../../core/dist/platform.js';
import { systemClock } from '../../core/dist/platform/system-clock.js';
import { createLog } from '../../core/dist/telemetry/log.js';
import { call, platformHome, type ApiAnswer, type CommandResult, type Connection } from '../platform-process.ts';

export interface RunningPlatform {
  readonly platform: Platform;
  readonly directory: string;
  readonly connection: Connection;
  /** Every line of the log, of all levels. */
  readonly logged: readonly string[];
  /** A credential for a user; by default the administrator's. */
  as(name: string, spec?: { readonly tenant?: string; readonly groups?: readonly string[] }): Promise<Connection>;
  /** Runs a tappaas command in the directory. */
  tappaas(...words: readonly string[]): Promise<CommandResult>;
  stop(): Promise<void>;
}

const tokens = '/apis/identity.tappaas.dev/v1alpha1/apitokens';

/** `settings` are merged into the configuration next to the plugins, `env` is added to the environment. */
export async function runPlatform(
  plugins: Readonly<Record<string, object | null>> = {},
  settings: object = {},
  env: Readonly<Record<string, string>> = {},
): Promise<RunningPlatform> {
  const home = await platformHome({
    env,
    // Attackers without a credential are to be answered, not counted.
    api: { strangersPerMinuteMax: 1_000_000 },
    plugins: { roles: { use: '@tappaas/access-rbac' }, tokens: { use: '@tappaas/identity-token' }, ...plugins },
  });
  // Plugins take relative directories from where the process was started, and this one is the test's.
  const configFile = join(home.directory, 'tappaas.yaml');
  const config = (await readFile(configFile, 'utf8')).replaceAll('"./data', `"${home.directory}/data`);
  await writeFile(configFile, JSON.stringify({ ...(JSON.parse(config) as object), ...settings }));
  const logged: string[] = [];
  const platform = await startPlatform({
    configFile,
    directory: home.directory,
    clock: systemClock,
    random: Math.random,
    env: { ...process.env, ...env },
    log: createLog({ write: (line) => void logged.push(line), clock: systemClock, format: 'json', level: 'debug' }),
    version: '0.1.0',
  }).catch(async (error: unknown) => {
    await home.remove();
    throw error;
  });
  const connection = { server: platform.url, token: platform.firstToken ?? '', ca: await readFile(platform.authorityFile) };
  return {
    platform,
    directory: home.directory,
    connection,
    logged,
    tappaas: (...words) => home.tappaas(...words),
    async as(name, spec = {}) {
      const made = await call(connection, 'POST', tokens, {
        metadata: { name },
        spec: { user: name, ...(spec.tenant === undefined && { withoutTenant: true }), ...spec },
      });
      if (made.status !== 201) throw new Error(`the token of ${name} was not made: ${made.text}`);
      const issued = await call(connection, 'POST', `${tokens}/${name}/issue`, {});
      const { token } = issued.json<{ token?: string }>();
      if (token === undefined) throw new Error(`the token of ${name} was not issued: ${issued.text}`);
      return { ...connection, token };
    },
    async stop() {
      await platform.stop();
      await home.remove();
    },
  };
}

/** Makes an object as the administrator. */
export async function make(connection: Connection, path: string, object: object): Promise<ApiAnswer> {
  const answer = await call(connection, 'POST', path, object);
  if (answer.status !== 201) throw new Error(`POST ${path} answered ${answer.status}: ${answer.text}`);
  return answer;
}
