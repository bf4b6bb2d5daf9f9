import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

/** What was compiled once lies beside the code it was compiled from (docs/decisions/0142); where nothing may be written, nothing is. */
export function keepCompiled(): void {
  enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/compiled', import.meta.url)));
}
