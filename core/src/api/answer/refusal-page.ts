import type { TapError } from '@tappaas/sdk';

const types: ReadonlySet<string> = new Set(['text/html', 'application/json', 'application/problem+json', 'application/yaml']);
const acceptCharsMax = 2048;

/** Whether a client prefers a page over a format for programs: the type with the higher weight, or the first one named. */
export function wantsPage(accept: string | undefined): boolean {
  const named = (accept ?? '')
    .slice(0, acceptCharsMax)
    .split(',')
    .flatMap((choice) => {
      const [type = '', ...parameters] = choice.split(';').map((part) => part.trim().toLowerCase());
      const weight = Number(parameters.find((each) => each.startsWith('q='))?.slice(2) ?? 1);
      return types.has(type) && weight > 0 ? [{ type, weight }] : [];
    });
  return named.toSorted((one, other) => other.weight - one.weight)[0]?.type === 'text/html';
}

/**
 * Makes the page that a person sees instead of a Status: the error, the remedy, where to start again, and the id by which an operator finds
 * the request. It has neither scripts nor styles, so the usual Content-Security-Policy applies to it.
 */
export function refusalPage(error: TapError, requestId: string, beginAgainAt: string): string {
  const { code, message, retryAfterMs, spec } = error;
  const wait = retryAfterMs === undefined ? [] : [`<p>Wait ${Math.max(1, Math.ceil(retryAfterMs / 1000))} s before that.</p>`];
  return [
    '<!doctype html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<meta name="color-scheme" content="light dark">',
    '<title>This did not work</title>',
    '</head>',
    '<body>',
    '<h1>This did not work</h1>',
    `<p>${escaped(message)}</p>`,
    `<p>${escaped(spec.remedy)}</p>`,
    `<p><a href="${escaped(beginAgainAt)}">Try again</a></p>`,
    ...wait,
    `<p><small>${escaped(code)}, status ${spec.httpStatus}, request ${escaped(requestId)}</small></p>`,
    '</body>',
    '</html>',
    '',
  ].join('\n');
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? '');
}
