/** A real browser, headless, with a profile of its own; in CI it has to be there. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { chromium, type Browser } from 'playwright-core';

const isCi = process.env['CI'] !== undefined && process.env['CI'] !== '' && process.env['CI'] !== 'false';
const names = ['chromium', 'chromium-browser', 'google-chrome'];
const quiet = [
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

function findChromium(): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return folders.flatMap((folder) => names.map((name) => join(folder, name))).find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

const executablePath = findChromium();

/** Whether tests with a browser are to run: in CI always, so that a missing one fails there. */
export const runsBrowser = executablePath !== undefined || isCi;

export function launchChromium(): Promise<Browser> {
  if (executablePath === undefined) throw new Error('no chromium on the PATH; .ci/services installs one');
  return chromium.launch({ executablePath, headless: true, chromiumSandbox: false, args: quiet });
}
