import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { LogLine, Plugin } from '@tappaas/sdk';
import type { ExecutionContext } from 'ava';
import { loadKernel, type Kernel, type KernelOptions } from '../../dist/kernel/kernel.js';
import { recordManifest } from '../../dist/kernel/manifest/record.js';
import { VirtualClock } from '../virtual-clock.ts';
import { rejection, unused } from './fixture.ts';

const sdk = fileURLToPath(new URL('../../../sdk', import.meta.url));

/** A directory with configuration files and installed packages, as an operator has it. */
export class Workspace {
  readonly directory: string;
  readonly lines: LogLine[] = [];
  readonly clock = new VirtualClock();
  private imports = 0;

  constructor(directory: string) {
    this.directory = directory;
  }

  static async create(t: ExecutionContext): Promise<Workspace> {
    const workspace = new Workspace(await mkdtemp(path.join(tmpdir(), 'tappaas-kernel-')));
    t.teardown(() => rm(workspace.directory, { recursive: true, force: true }));
    await mkdir(path.join(workspace.directory, 'node_modules/@tappaas'), { recursive: true });
    await symlink(sdk, path.join(workspace.directory, 'node_modules/@tappaas/sdk'));
    return workspace;
  }

  file(name: string): string {
    return path.join(this.directory, name);
  }

  async write(name: string, text: string): Promise<void> {
    await mkdir(path.dirname(this.file(name)), { recursive: true });
    await writeFile(this.file(name), text);
  }

  /** Installs a package whose default export is `definePlugin(<source>)`, with the manifest that its build would write. */
  async install(
    name: string,
    source: string,
    { version = '1.0.0', manifest = {} }: { version?: string; manifest?: object } = {},
  ): Promise<void> {
    const folder = `node_modules/${name}`;
    const packageJson = {
      name,
      version,
      type: 'module',
      exports: './dist/index.js',
      tappaas: { manifest: 'dist/tappaas.manifest.json', kernel: '^0.1.0' },
    };
    await this.write(`${folder}/package.json`, JSON.stringify(packageJson));
    const imports =
      "import { definePlugin, defineService, deny, families, hooks, secret, Type } from '@tappaas/sdk';\nimport { Application } from '@tappaas/sdk/kinds';\n";
    await this.write(`${folder}/dist/index.js`, `${imports}export default definePlugin(${source});\n`);
    this.imports += 1;
    const entry = `${pathToFileURL(this.file(`${folder}/dist/index.js`)).href}?record=${this.imports}`;
    const { default: plugin } = (await import(entry)) as { readonly default: Plugin };
    const recorded = { ...recordManifest(plugin, packageJson), ...manifest };
    await this.write(`${folder}/dist/tappaas.manifest.json`, JSON.stringify(recorded));
  }

  options(more: Partial<KernelOptions> = {}): KernelOptions {
    return {
      configFile: this.file('tappaas.yaml'),
      clock: this.clock,
      random: () => 0.5,
      env: {},
      log: (line) => void this.lines.push(line),
      kernelVersion: '0.1.0',
      resourcesFor: () => unused,
      ...more,
    };
  }

  load(more: Partial<KernelOptions> = {}): Promise<Kernel> {
    return loadKernel(this.options(more));
  }

  /** What an operator reads when the configuration is refused. */
  async refusal(more: Partial<KernelOptions> = {}): Promise<string> {
    return (await rejection(this.load(more))).message;
  }
}

/** The head of every configuration file. */
export const head = 'apiVersion: tappaas.dev/v1alpha1\nkind: Platform\n';
