import { readFile } from 'node:fs/promises';
import type { HttpAnswer } from '@tappaas/sdk';

/** Where a browser comes to after a log-in that names no other place. */
export const accountPage = 'account.html';

/** Scripts and styles of this host alone, none of them inline. */
const headers = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
};

/** A file of the page, the same for everybody. */
interface PageFile {
  readonly name: string;
  readonly answer: () => Promise<HttpAnswer>;
}

const file = (name: string, mediaType: string, place: string): PageFile => ({
  name,
  answer: async () => ({
    status: 200,
    headers: { ...headers, 'content-type': `${mediaType}; charset=utf-8` },
    body: await readFile(new URL(place, import.meta.url)),
  }),
});

/** Everything that the page needs: nothing of it comes from elsewhere, and nothing in it is anybody's. */
export const pageFiles: readonly PageFile[] = [
  file(accountPage, 'text/html', `../page/${accountPage}`),
  file('account.css', 'text/css', '../page/account.css'),
  file('account.js', 'text/javascript', './page/account.js'),
];
