import type { ServedKind } from '../../ports/engine.js';
import type { Exchange } from '../request/exchange.js';

const warningCharsMax = 1000;

/** Adds a warning as a header with code 299, which kubectl prints. */
export function warnWith(exchange: Exchange, text: string): void {
  const printable = text
    .slice(0, warningCharsMax)
    .replace(/[^\x20-\x7e]/g, ' ')
    .replace(/["\\]/g, String.raw`\$&`);
  exchange.extraHeaders.push('Warning', `299 - "${printable}"`);
}

/** Parses an ISO 8601 date, with or without a time; a release number such as 1.2 is not one, though `Date.parse` accepts it. */
function momentOf(text: string): number | undefined {
  const ms = /^\d{4}-\d{2}-\d{2}(?:T|$)/.test(text) ? Date.parse(text) : NaN;
  return Number.isNaN(ms) ? undefined : ms;
}

/** Returns the warning about a deprecated version; undefined for others. */
export function deprecationOf({ deprecated, kind, version }: ServedKind): string | undefined {
  return deprecated === undefined ? undefined : `${kind} ${version} is deprecated since ${deprecated.since}; use ${deprecated.instead}`;
}

/**
 * Adds a deprecation warning about the version in the path to any answer, in the three forms that clients know.
 *
 * @source https://www.rfc-editor.org/rfc/rfc9745 (Deprecation is a date), https://www.rfc-editor.org/rfc/rfc8594 (Sunset)
 */
export function warnOfDeprecation(exchange: Exchange, served: ServedKind): void {
  const { deprecated, kind, version } = served;
  const text = deprecationOf(served);
  if (deprecated === undefined || text === undefined) return;
  exchange.annotations.set('tappaas.dev/deprecated', `${kind} ${version}`);
  const sinceMs = momentOf(deprecated.since);
  if (sinceMs !== undefined) exchange.extraHeaders.push('Deprecation', `@${Math.floor(sinceMs / 1000)}`);
  const removedMs = momentOf(deprecated.removedAfter);
  if (removedMs !== undefined) exchange.extraHeaders.push('Sunset', new Date(removedMs).toUTCString());
  warnWith(exchange, text);
}

const warningNames: ReadonlySet<string> = new Set(['Deprecation', 'Sunset', 'Warning']);

/** Returns the warnings as lines, for a head that is not written by sendHead. */
export function warningLines({ extraHeaders }: Exchange): readonly string[] {
  return extraHeaders.flatMap((name, index) => (index % 2 === 0 && warningNames.has(name) ? [`${name}: ${extraHeaders[index + 1]}`] : []));
}
