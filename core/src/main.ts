#!/usr/bin/env node
/* The entry point: checks the runtime version before loading anything that depends on it, then runs the command line. */
const versionMin = 24;
const found = Number(process.versions.node.split('.')[0]);
if (found < versionMin) {
  process.stderr.write(
    `tappaas needs Node ${versionMin} or later and runs on ${process.version}.\nRun it through npm (npm start, npx tappaas), which uses the runtime that npm ci installed.\n`,
  );
  process.exitCode = 1;
} else {
  const { keepCompiled } = await import('./compile-cache.js');
  keepCompiled();
  const [{ runCommandLine }, { outputLost, outletTo }] = await Promise.all([
    import('./cli/command-line.js'),
    import('./cli/standard-output.js'),
  ]);
  // A command is pointless once its output is lost; the platform continues without output.
  let isPlatform = false;
  const lost = (error: NodeJS.ErrnoException): void => {
    if (!isPlatform) outputLost(error);
  };
  const code = await runCommandLine({
    arguments: process.argv.slice(2),
    env: process.env,
    cwd: process.cwd(),
    stdout: outletTo(process.stdout, lost),
    stderr: outletTo(process.stderr, lost),
    input: () => process.stdin,
    onResize: (listener, signal) => {
      process.stdout.on('resize', listener);
      signal.addEventListener('abort', () => void process.stdout.off('resize', listener), { once: true });
    },
    nowMs: Date.now,
    sections: async () => (await import('./platform/settings.js')).platformSections,
    audit: () => import('./telemetry/audit/offline.js'),
    startPlatform: async (options, terminal) => {
      isPlatform = true;
      const [{ collectWithOneThread, keepHeapSmall }, { isatty }] = await Promise.all([import('./heap-settings.js'), import('node:tty')]);
      keepHeapSmall();
      collectWithOneThread();
      const { up } = await import('./platform/up.js');
      return up(options, {
        terminal,
        onSignal: (signal, listener) => void process.on(signal, listener),
        onUncaught: (listener) => void process.on('uncaughtException', listener).on('unhandledRejection', listener),
        exit: (ended) => process.exit(ended),
        isAtTerminal: () => [0, 1, 2].some((stream) => isatty(stream)),
      });
    },
  });
  process.exitCode = code;
  // Handles that plugins left open, such as timers, must not keep a stopped platform from exiting.
  if (isPlatform) process.exit();
}

export {};
