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

/** Everything that the page needs: nothing of it comes from elsewhere. */
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

/** Read once, when it is first asked for; a failed read is tried again. */
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

/** Their builds for browsers are not among what these packages export, so they are found beside their package.json. */
function packaged(name: string, path: string): string {
  return join(dirname(require.resolve(`${name}/package.json`)), path);
}
