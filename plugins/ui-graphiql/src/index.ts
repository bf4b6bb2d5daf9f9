import { definePlugin } from '@tappaas/sdk';
import { pageAssets } from './assets.js';

const nothingMax = 0;
const startPage = 'explore.html';

/** Only scripts and styles of this host are allowed, and none inline; the editor's fonts and images are data URLs in its style sheet. */
const headers = {
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src data:; img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
};

/** A page to explore GraphQL during development. It has no rights of its own: it uses those of its user. */
export default definePlugin({
  id: 'ui-graphiql',
  stability: 'beta',
  setup(host) {
    for (const { name, mediaType, read } of pageAssets()) {
      host.http({
        auth: 'self',
        method: 'GET',
        path: `/${name}`,
        bodyBytesMax: nothingMax,
        description: `The file ${name} of the page to explore GraphQL.`,
        handle: async () => ({ status: 200, headers: { ...headers, 'Content-Type': mediaType }, body: await read() }),
      });
    }
    host.http({
      auth: 'self',
      method: 'GET',
      path: '/',
      bodyBytesMax: nothingMax,
      description: 'Redirects to the page to explore GraphQL.',
      handle: async () => ({ status: 307, headers: { ...headers, Location: `/plugins/${host.id}/${startPage}` } }),
    });
  },
});
