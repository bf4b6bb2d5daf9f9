import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

/** Enables a cache of compiled code beside its source (docs/decisions/0142); it has no effect where that directory is not writable. */
export function keepCompiled(): void {
  enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/compiled', import.meta.url)));
}
