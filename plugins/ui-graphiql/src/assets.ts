import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A file of the page. */
export interface Asset {
  readonly name: string;
  readonly mediaType: string;
  readonly read: () => Promise<Uint8Array>;
}

const require = createRequire(import.meta.url);
const html = 'text/html; charset=utf-8';
const css = 'text/css; charset=utf-8';
const script = 'text/javascript; charset=utf-8';

/** All files of the page: nothing is loaded from other hosts. */
export function pageAssets(): readonly Asset[] {
  return [
    asset('explore.html', html, () => own('../page/explore.html')),
    asset('explore.css', css, () => own('../page/explore.css')),
    asset('explore.js', script, () => own('./page/explore.js')),
    asset('caller.js', script, () => own('./page/caller.js')),
    asset('fetcher.js', script, () => own('./page/fetcher.js')),
    asset('react.js', script, () => packaged('react', 'umd/react.production.min.js')),
    asset('react-dom.js', script, () => packaged('react-dom', 'umd/react-dom.production.min.js')),
    asset('graphiql.js', script, () => packaged('graphiql', 'dist/index.umd.js')),
    asset('graphiql.css', css, () => packaged('graphiql', 'dist/style.css')),
    asset('graphql-ws.js', script, () => packaged('graphql-ws', 'umd/graphql-ws.min.js')),
  ];
}

/** Read on first use and kept in memory; a failed read is retried. */
function asset(name: string, mediaType: string, locate: () => string): Asset {
  let held: Promise<Uint8Array> | undefined;
  const load = async () => {
    try {
      return await readFile(locate());
    } catch (error) {
      held = undefined;
      throw error;
    }
  };
  return { name, mediaType, read: () => (held ??= load()) };
}

function own(path: string): string {
  return fileURLToPath(new URL(path, import.meta.url));
}

/** These packages do not export their browser builds, so the files are located relative to their package.json. */
function packaged(name: string, path: string): string {
  return join(dirname(require.resolve(`${name}/package.json`)), path);
}
