/// <reference lib="dom" />
import { findAccess, keepToken, storedToken, type Access } from './caller.js';
import { fetcher } from './fetcher.js';

declare const React: { createElement(type: unknown, props: object): unknown };
declare const ReactDOM: { createRoot(element: HTMLElement): { render(node: unknown): void } };
declare const GraphiQL: unknown;

const firstQuery = `# Ctrl-Enter runs it; Ctrl-Space completes.
{
  viewer { name groups }
  applications(first: 10) {
    nodes { namespace name status { url } }
  }
}
`;
const unknownCaller = 'The platform does not know you: give an API token (tappaas token create), or log in with your provider and reload.';
const noSchema =
  'The platform does not publish its schema (api.graphqlIntrospection is not true), so nothing is completed or documented here; queries work.';

const root = ReactDOM.createRoot(element('explorer'));
const token = element('token') as HTMLInputElement;
let shown = 0;

element('identity').addEventListener('submit', (event) => {
  event.preventDefault();
  keepToken(token.value.trim() || undefined);
  token.value = '';
  void show();
});
element('forget').addEventListener('click', () => {
  keepToken(undefined);
  void show();
});
void show();

/** Determines the present user, and renders the editor again with that user's rights. */
async function show(): Promise<void> {
  const turn = (shown += 1);
  const access = await findAccess().catch((error: unknown) => ({ hasSchema: false, problem: String(error) }));
  if (turn !== shown) return;
  showState(access);
  const { hasSchema } = access;
  root.render(
    React.createElement(GraphiQL, {
      key: turn,
      fetcher,
      // Queries and variables are stored only in the tab, like the token.
      storage: sessionStorage,
      defaultQuery: firstQuery,
      isHeadersEditorEnabled: false,
      ...(!hasSchema && { schema: null }),
    }),
  );
}

function showState({ caller, hasSchema, problem }: Access & { readonly problem?: string }): void {
  element('caller').textContent = caller === undefined ? 'nobody' : `${caller} (${storedToken() === undefined ? 'session' : 'token'})`;
  const notice = element('notice');
  notice.textContent = problem ?? (caller === undefined ? unknownCaller : hasSchema ? '' : noSchema);
  notice.hidden = notice.textContent === '';
}

function element(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no element ${id}`);
  return found;
}
