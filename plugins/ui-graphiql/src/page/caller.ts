/// <reference lib="dom" />
/** The credential that the page uses: an API token stored in this tab, or the session cookie of a login, which scripts cannot read. */

const place = 'tappaas.token';
const deadlineMs = 60_000;

/** The response to a GraphQL request. */
export interface Answer {
  readonly status: number;
  readonly json: { readonly data?: unknown; readonly errors?: readonly unknown[] };
}

/** The token stored in this tab, if any; it is lost when the tab is closed. */
export function storedToken(): string | undefined {
  return sessionStorage.getItem(place) ?? undefined;
}

export function keepToken(token: string | undefined): void {
  if (token === undefined) sessionStorage.removeItem(place);
  else sessionStorage.setItem(place, token);
}

/** Sends a GraphQL request. With a stored token, cookies are not sent, so that the token alone determines the rights. */
export async function request(body: object): Promise<Answer> {
  const token = storedToken();
  const response = await fetch('/graphql', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...(token !== undefined && { Authorization: `Bearer ${token}` }) },
    credentials: token === undefined ? 'same-origin' : 'omit',
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(deadlineMs),
  });
  return { status: response.status, json: (await response.json()) as Answer['json'] };
}

/** The user of the page, and what the platform allows. */
export interface Access {
  /** Absent when the platform does not authenticate the caller. */
  readonly caller?: string;
  /** Whether the platform allows introspection of its schema. */
  readonly hasSchema: boolean;
}

export async function findAccess(): Promise<Access> {
  const queried = await request({ query: '{ viewer { name } }' });
  const caller = (queried.json.data as { readonly viewer?: { readonly name: string } } | null | undefined)?.viewer?.name;
  if (caller === undefined) return { hasSchema: false };
  const { json } = await request({ query: '{ __schema { queryType { name } } }' });
  return { caller, hasSchema: json.errors === undefined };
}
