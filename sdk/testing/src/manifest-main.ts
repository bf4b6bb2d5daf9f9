#!/usr/bin/env node
/* The executable `tappaas-manifest`: writes the manifest of the plugin in the current directory. */
import { summaryOf, writeManifest } from './manifest-command.js';

try {
  const { file, manifest } = await writeManifest(process.cwd());
  process.stdout.write(`${summaryOf(file, manifest)}\n`);
} catch (error) {
  process.stderr.write(`tappaas-manifest: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
