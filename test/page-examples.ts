/** Runs the examples of documentation pages, as a reader would: shell blocks in one shell, in order, and programs each by itself. */
import { execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { isCi } from './is-ci.ts';
import { kubectlPath, runsKubectl } from './kubectl-session.ts';
import { root, type PlatformHome, type PlatformProcess } from './platform-process.ts';

/** Where the pages say that the API is. */
const documented = 'https://127.0.0.1:7443';
const programMsMax = 120_000;

/** Whether everything is there that examples call; in CI it has to be. */
export const canRunExamples = isCi || (runsKubectl && spawnSync('curl', ['--version']).status === 0);

export interface Example {
  readonly language: string;
  readonly code: string;
  /** Lines that must be printed in this order; `…` stands for anything. */
  readonly expected: readonly string[];
}

/** The blocks of a page in these languages, each with the text block that follows it. */
export async function examplesOf(page: string, languages: readonly string[]): Promise<readonly Example[]> {
  const text = await readFile(join(root, 'docs', page), 'utf8');
  const blocks = new RegExp(`^\`\`\`(${languages.join('|')})\\n([\\s\\S]*?)^\`\`\`\\n(?:\\n\`\`\`text\\n([\\s\\S]*?)^\`\`\`$)?`, 'gm');
  return [...text.matchAll(blocks)].map(([, language = '', code = '', expected = '']) => ({
    language,
    code,
    expected: expected.split('\n').filter((line) => line !== ''),
  }));
}

/** What an example has to print. */
export function expectedOf({ expected }: Example): RegExp {
  const escaped = (text: string): string => text.split('…').map(RegExp.escape).join('[\\s\\S]*?');
  return new RegExp(expected.map(escaped).join('[\\s\\S]*?'));
}

/** Runs examples beside the data of a platform, which stands in for the documented one. */
export class ExampleRunner {
  readonly #home: PlatformHome;
  readonly #platform: PlatformProcess;

  constructor(home: PlatformHome, platform: PlatformProcess) {
    this.#home = home;
    this.#platform = platform;
  }

  /** What each block prints, run one after the other in one shell. */
  async shell(examples: readonly Example[]): Promise<readonly string[]> {
    const mark = '--- next block ---';
    const script = examples.map(({ code }) => `${this.#filled(code)}\necho; echo '${mark}'`).join('\n');
    const options = { cwd: this.#home.directory, env: this.#env(), timeout: 2 * programMsMax };
    const { stdout } = await promisify(execFile)('bash', ['-ec', script], options).catch((error: Error & { stdout?: string }) => {
      throw new Error(`${error.message}\nprinted before: ${error.stdout ?? ''}`);
    });
    return stdout.split(mark);
  }

  /** What a program prints until it has printed what it should, or ends: one that follows something would go on. */
  async program(example: Example, name: string): Promise<string> {
    const file = join(this.#home.directory, `${name}.${example.language === 'ts' ? 'mts' : 'mjs'}`);
    await writeFile(file, this.#filled(example.code));
    const child = spawn(process.execPath, [file], { cwd: this.#home.directory, env: this.#env(), timeout: programMsMax });
    let printed = '';
    const enough = expectedOf(example);
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        printed += text;
        if (example.expected.length > 0 && enough.test(printed)) child.kill();
      });
    }
    await once(child, 'close');
    return printed;
  }

  #filled(code: string): string {
    const { server, token } = this.#platform.connection;
    return code.replaceAll(documented, server).replaceAll('tapp_…', token);
  }

  #env(): NodeJS.ProcessEnv {
    const { token } = this.#platform.connection;
    const paths = [`${root}/node_modules/.bin`, dirname(kubectlPath()), process.env['PATH']];
    return {
      ...process.env,
      TAPPAAS_HOME: join(this.#home.directory, 'home'),
      KUBECONFIG: join(this.#home.directory, 'data/kubeconfig'),
      NODE_EXTRA_CA_CERTS: join(this.#home.directory, 'data/ca.pem'),
      TOKEN: token,
      TAPPAAS_TOKEN: token,
      PATH: paths.join(':'),
    };
  }
}
