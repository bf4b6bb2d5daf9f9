/** Runs the examples of documentation pages, as a reader would: shell blocks in one shell, in order, and programs each by itself. */
import { execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { isCi } from './is-ci.ts';
import { kubectlPath, runsKubectl } from './kubectl-session.ts';
import { platformHome, root, type PlatformHome, type PlatformProcess } from './platform-process.ts';

/** Where the pages say that the API is. */
const documented = 'https://127.0.0.1:7443';
const programMsMax = 120_000;

/** Whether everything is there that examples call; in CI it has to be. */
export const canRunExamples = isCi || (runsKubectl && spawnSync('curl', ['--version']).status === 0);

/** The languages of blocks that tests run, by the folder of the page: consumer-examples, operator-examples, author-examples and third-party-plugin. */
export const ran: Readonly<Record<string, readonly string[]>> = {
  consumers: ['sh', 'ts', 'js', 'graphql'],
  operators: ['sh'],
  authors: ['ts'],
};

/** Pages outside of docs whose shell blocks consumer-examples runs. */
export const ranOutside: readonly string[] = ['README.md', 'examples/hello/README.md'];

/** What the paragraph above a block says that is not run, before the reason. */
const notRun = 'Not run by the tests: ';

export interface Example {
  readonly language: string;
  readonly code: string;
  /** The file that the line above names. */
  readonly file?: string;
  /** Whether the page says why it is not run. */
  readonly isMarked: boolean;
  /** Lines that must be printed in this order; `…` stands for anything. */
  readonly expected: readonly string[];
}

/** The pages of a folder of docs, such as `consumers/rest.md`. */
export function pagesOf(folder: string): readonly string[] {
  const names = readdirSync(join(root, 'docs', folder)).filter((name) => name.endsWith('.md'));
  return names.toSorted().map((name) => `${folder}/${name}`);
}

/** The blocks of a page in these languages, each with the text block that follows it. */
export function examplesOf(page: string, languages: readonly string[]): readonly Example[] {
  return examplesOfFile(join('docs', page), languages);
}

/** As {@link examplesOf}, for a page anywhere: its path from the root of the repository. */
export function examplesOfFile(path: string, languages: readonly string[]): readonly Example[] {
  return examplesIn(readFileSync(join(root, path), 'utf8'), languages);
}

/** Those that are to be run. */
export function runExamplesOf(page: string, languages: readonly string[]): readonly Example[] {
  return examplesOf(page, languages).filter(({ isMarked }) => !isMarked);
}

function examplesIn(text: string, languages: readonly string[]): readonly Example[] {
  const blocks = new RegExp(`^\`\`\`(${languages.join('|')})\\n([\\s\\S]*?)^\`\`\`\\n(?:\\n\`\`\`text\\n([\\s\\S]*?)^\`\`\`$)?`, 'gm');
  return [...text.matchAll(blocks)].map(({ index, 1: language = '', 2: code = '', 3: expected = '' }) => {
    const above = text.slice(0, index).trimEnd().split('\n\n').at(-1) ?? '';
    const file = /^`([\w./-]+)`:$/.exec(above)?.[1];
    return {
      language,
      code,
      ...(file === undefined ? {} : { file }),
      isMarked: above.includes(notRun),
      expected: expected.split('\n').filter((line) => line !== ''),
    };
  });
}

/** What a reader has done before any page: it stands on one, to which all lead. */
function beginning(): string {
  const text = readFileSync(join(root, 'docs/consumers/README.md'), 'utf8');
  const [, section = ''] = /^## Before you begin\n([\s\S]*?)^## /m.exec(text) ?? [];
  return examplesIn(section, ['sh'])
    .map(({ code }) => code)
    .join('');
}

/** What an example has to print. */
export function expectedOf({ expected }: Example): RegExp {
  const escaped = (text: string): string => text.split('…').map(RegExp.escape).join('[\\s\\S]*?');
  return new RegExp(expected.map(escaped).join('[\\s\\S]*?'));
}

/** A directory with the configuration that the pages start from, on ports of its own; `more` is added to its plugins, which end it. */
export async function laptopHome({ more = '', ...options }: { readonly first?: string; readonly more?: string }): Promise<PlatformHome> {
  const home = await platformHome(options);
  const text = await readFile(join(root, 'examples/laptop/tappaas.yaml'), 'utf8');
  const own = text.replace('port: 7443', 'port: 0').replace('httpPort: 8080', `httpPort: ${home.httpPort}`);
  await writeFile(join(home.directory, 'tappaas.yaml'), own + more);
  return home;
}

/** Runs examples in the directory of a platform that stands in for the documented one. */
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
    const blocks = examples.map(({ code }) => `${this.#filled(code)}\necho; echo '${mark}'`);
    const script = [beginning(), ...blocks].join('\n');
    const options = { cwd: this.#home.directory, env: this.#env(), timeout: 2 * programMsMax };
    const { stdout } = await promisify(execFile)('bash', ['-ec', script], options).catch((error: Error & { stdout?: string }) => {
      throw new Error(`${error.message}\nprinted before: ${error.stdout ?? ''}`);
    });
    return stdout.split(mark);
  }

  /** What a program prints until it has printed what it should, or ends: one that follows something would go on. */
  async program(example: Example, name: string): Promise<string> {
    const file = `${name}.${example.language === 'ts' ? 'mts' : 'mjs'}`;
    await writeFile(join(this.#home.directory, file), this.#filled(example.code));
    const script = `${beginning()}exec node ${file}`;
    const child = spawn('bash', ['-ec', script], { cwd: this.#home.directory, env: this.#env(), timeout: programMsMax });
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

  /** The response to the typed client for a document of a page. */
  async graphql(example: Example, name: string): Promise<string> {
    return this.program({ ...example, language: 'ts', code: sending(example.code) }, name);
  }

  #filled(code: string): string {
    return code.replaceAll(documented, this.#platform.connection.server);
  }

  /** A home and the programs of the machine, without what npm has put before them: everything else a page has to say. */
  #env(): NodeJS.ProcessEnv {
    const system = (process.env['PATH'] ?? '').split(':').filter((folder) => !folder.includes('node_modules'));
    return { HOME: join(this.#home.directory, 'home'), PATH: [dirname(kubectlPath()), ...system].join(':') };
  }
}

const sending = (document: string): string => `import { createClient } from '@tappaas/client';
const client = createClient({ server: '${documented}', token: process.env['TOKEN'] ?? '' });
const document = ${JSON.stringify(document)};
if (!document.startsWith('subscription')) console.log(JSON.stringify(await client.graphql({ query: document })));
else for await (const data of client.subscribe(document, {}, { signal: AbortSignal.timeout(60_000) })) console.log(JSON.stringify(data));
await client.close();
`;
