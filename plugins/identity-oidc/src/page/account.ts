/**
 * Shows the logged-in user and logs out. The browser arrives from another site, and so without credentials; the requests of this page are
 * same-origin and carry them.
 */

const deadlineMs = 15_000;

interface Session {
  readonly name: string;
  readonly groups: readonly string[];
  readonly tenant?: string;
  readonly expiresAt: string;
}

const part = (id: string): HTMLElement => document.querySelector<HTMLElement>(`#${id}`) ?? document.body;
const [summary, details, ways, button] = [part('told'), part('session'), part('ways'), part('logout')];

function request(path: string, method = 'GET'): Promise<Response> {
  const headers = { accept: 'application/json' };
  return fetch(path, { method, headers, credentials: 'same-origin', signal: AbortSignal.timeout(deadlineMs) });
}

async function read<T>(answer: Response): Promise<T> {
  if (!answer.ok) throw new Error(`the platform answered ${answer.status}`);
  return (await answer.json()) as T;
}

async function show(): Promise<void> {
  const answer = await request('session');
  const session = answer.status === 401 ? undefined : await read<Session>(answer);
  for (const each of [details, button]) each.hidden = session === undefined;
  ways.hidden = session !== undefined;
  if (session === undefined) return offer();
  summary.textContent = `You are logged in as ${session.name}.`;
  const rows = [
    ['Groups', session.groups.join(', ') || 'none'],
    ['Tenant', session.tenant ?? 'none'],
    ['Until', new Date(session.expiresAt).toLocaleString()],
  ];
  details.replaceChildren(...rows.flatMap(([label = '', value = '']) => [text('dt', label), text('dd', value)]));
}

async function offer(): Promise<void> {
  summary.textContent = 'You are not logged in.';
  const { issuers } = await read<{ readonly issuers: readonly { readonly name: string }[] }>(await request('issuers'));
  const links = issuers.map(({ name }) => {
    const link = text('a', `Log in with ${name}`);
    link.setAttribute('href', `login?issuer=${encodeURIComponent(name)}`);
    const item = document.createElement('li');
    item.append(link);
    return item;
  });
  ways.replaceChildren(...links);
}

function text(tag: string, content: string): HTMLElement {
  const made = document.createElement(tag);
  made.textContent = content;
  return made;
}

/** Ends the session here, then goes to the provider to end it there. */
async function logOut(): Promise<void> {
  const { location } = await read<{ readonly location?: string }>(await request('logout', 'POST'));
  if (location === undefined) await show();
  else window.location.assign(location);
}

async function attempt(act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (error) {
    summary.textContent = `That did not work: ${error instanceof Error ? error.message : String(error)}. Load the page again.`;
  }
}

button.addEventListener('click', () => void attempt(logOut));
void attempt(show);
