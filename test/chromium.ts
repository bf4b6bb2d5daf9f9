/** A real browser, headless, with a profile of its own; in CI it has to be there. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { chromium, type Browser, type BrowserContext, type BrowserContextOptions } from 'playwright-core';
import { isCi } from './is-ci.ts';

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
const startMsMax = 90_000;

/** Whether tests with a browser are to run: in CI always, so that a missing one fails there. */
export const runsBrowser = executablePath !== undefined || isCi;

export function launchChromium(): Promise<Browser> {
  if (executablePath === undefined) throw new Error('no chromium on the PATH; .ci/services installs one');
  return chromium.launch({ executablePath, headless: true, chromiumSandbox: false, args: quiet, timeout: startMsMax });
}

/** A profile of its own, in which everything is waited for as long as it takes on a machine that is busy with other tests. */
export async function freshContext(browser: Browser, options: BrowserContextOptions = {}): Promise<BrowserContext> {
  const context = await browser.newContext(options);
  context.setDefaultTimeout(startMsMax);
  return context;
}
