#!/usr/bin/env node
/* The process of `tappaas-manifest`: writes the manifest of the plugin whose directory it is run in. */
import { summaryOf, writeManifest } from './manifest-command.js';

try {
  const { file, manifest } = await writeManifest(process.cwd());
  process.stdout.write(`${summaryOf(file, manifest)}\n`);
} catch (error) {
  process.stderr.write(`tappaas-manifest: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
