import { readFile } from 'node:fs/promises';
import type { HttpAnswer } from '@tappaas/sdk';

/** The page after a login that names no other one. */
export const accountPage = 'account.html';

/** Only scripts and styles of this host are allowed, and none inline. */
const headers = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
};

/** A static file of the page, the same for every user. */
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

/** All files of the page: nothing is loaded from other hosts, and nothing in them is specific to a user. */
export const pageFiles: readonly PageFile[] = [
  file(accountPage, 'text/html', `../page/${accountPage}`),
  file('account.css', 'text/css', '../page/account.css'),
  file('account.js', 'text/javascript', './page/account.js'),
];
