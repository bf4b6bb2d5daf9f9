import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { platformServices } from '@tappaas/sdk';
import type { ReportOptions } from '../kernel/configuration-report.js';
import { requiredServices } from '../kernel/required-services.js';
import type { Invocation } from './command.js';

/** Options with which the kernel examines the configuration named by `--file` without starting anything. */
export async function reportOptions({ terminal, options }: Pick<Invocation, 'terminal' | 'options'>): Promise<ReportOptions> {
  const file = typeof options['file'] === 'string' ? options['file'] : 'tappaas.yaml';
  const { version } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string };
  const services = Object.values(platformServices).map((service) => ({ service, value: undefined }));
  return {
    configFile: resolve(terminal.cwd, file),
    sections: await terminal.sections(),
    env: terminal.env,
    kernelVersion: version,
    services,
    requires: requiredServices,
  };
}
