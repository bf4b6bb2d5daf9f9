/** As much of a browser as following a log-in takes: cookies per host, redirects, forms. */
import { request } from 'node:https';

export interface Page {
  readonly url: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

/** Follows redirects until a page comes, or until `stopAt` says so of where it would go next. */
export class Browser {
  readonly #cookies = new Map<string, Map<string, string>>();
  readonly #authorities: readonly string[];

  constructor(authorities: readonly string[]) {
    this.#authorities = authorities;
  }

  cookie(host: string, name: string): string | undefined {
    return this.#cookies.get(host)?.get(name);
  }

  async get(url: string, stopAt: (url: string) => boolean = () => false): Promise<Page> {
    return this.#follow(await this.send('GET', url), stopAt);
  }

  /** Sends the one form of a page, as a person who filled it in would. */
  async submit(page: Page, fields: Readonly<Record<string, string>>, stopAt: (url: string) => boolean = () => false): Promise<Page> {
    const action = /<form[^>]*action="(?<action>[^"]*)"/.exec(page.text)?.groups?.['action'] ?? '';
    const hidden = [...page.text.matchAll(/<input type="hidden" name="(?<name>[^"]*)" value="(?<value>[^"]*)"/g)].map(({ groups = {} }) => [
      groups['name'] ?? '',
      groups['value'] ?? '',
    ]);
    const body = new URLSearchParams([...hidden, ...Object.entries(fields)]).toString();
    const sent = await this.send('POST', new URL(action.replaceAll('&amp;', '&'), page.url).href, body);
    return this.#follow(sent, stopAt);
  }

  async send(method: string, url: string, body?: string | Uint8Array, headers: Readonly<Record<string, string>> = {}): Promise<Page> {
    const { host } = new URL(url);
    const jar = this.#cookies.get(host) ?? new Map<string, string>();
    this.#cookies.set(host, jar);
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
    return new Promise((done, fail) => {
      const outgoing = request(url, {
        method,
        ca: [...this.#authorities],
        agent: false,
        headers: {
          ...(cookie !== '' && { cookie }),
          ...(body !== undefined && { 'content-type': 'application/x-www-form-urlencoded', 'content-length': Buffer.byteLength(body) }),
          ...headers,
        },
      });
      outgoing.on('error', fail);
      outgoing.on('response', (answer) => {
        for (const line of answer.headers['set-cookie'] ?? []) {
          const [pair = ''] = line.split(';');
          const at = pair.indexOf('=');
          const isRemoved = /max-age=0|expires=Thu, 01 Jan 1970/i.test(line);
          if (isRemoved) jar.delete(pair.slice(0, at));
          else jar.set(pair.slice(0, at), pair.slice(at + 1));
        }
        let text = '';
        answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        answer.on('error', fail);
        answer.on('end', () => done({ url, status: answer.statusCode ?? 0, headers: answer.headers, text }));
      });
      outgoing.end(body);
    });
  }

  async #follow(page: Page, stopAt: (url: string) => boolean, left = 20): Promise<Page> {
    const { location } = page.headers;
    if (page.status < 300 || page.status >= 400 || typeof location !== 'string' || left === 0) return page;
    const next = new URL(location, page.url).href;
    return stopAt(next) ? { ...page, url: next } : this.#follow(await this.send('GET', next), stopAt, left - 1);
  }
}

/** Logs in at a provider's own pages, from its login form to the redirect back. */
export async function logInAt(browser: Browser, page: Page, name: string, stopAt: (url: string) => boolean = () => false): Promise<Page> {
  const submitted = await browser.submit(page, { login: name, password: 'any' }, stopAt);
  return /name="prompt" value="consent"/.test(submitted.text) ? browser.submit(submitted, {}, stopAt) : submitted;
}
