import type { AuditItem } from './audit-tools.js';
import { harmlessLine } from './harmless.js';
import { textTable } from './table.js';

const columns: readonly (readonly [name: string, of: (item: AuditItem) => string | number | undefined])[] = [
  ['TIME', ({ event }) => event.stageTimestamp.replace(/\.(\d{3})\d*Z$/, '.$1Z')],
  ['USER', ({ event: { user, impersonatedUser } }) => [user?.username, impersonatedUser?.username].filter(Boolean).join(' as ')],
  ['VERB', ({ event }) => (event.stage === 'ResponseComplete' ? event.verb : `${event.verb} (${event.stage})`)],
  ['ABOUT', ({ event }) => aboutOf(event)],
  ['CODE', ({ event }) => event.responseStatus?.code],
  ['WHY', ({ event }) => reasonOf(event)],
  ['FROM', ({ event }) => event.sourceIPs?.[0]],
  ['REQUEST', ({ event }) => event.auditID],
  ['LINE', ({ sequence }) => sequence],
];

/** Escapes control characters in data of callers, so that no event can ring a bell or move the cursor. */
const shown = (cell: string | number | undefined): string => harmlessLine(String(cell ?? ''));

/** Formats events for people, in the given order. */
export function auditTable(items: readonly AuditItem[]): string {
  return textTable(
    columns.map(([name]) => name),
    items.map((item) => columns.map(([, of]) => shown(of(item)) || '-')),
  );
}

/** The header line of the CSV output. */
export const csvHead = `${columns.map(([name]) => name.toLowerCase()).join(',')}\n`;

/** Formats one CSV line; a cell that a spreadsheet would interpret as a formula is turned into text. */
export function csvLine(item: AuditItem): string {
  const cells = columns.map(([, of]) => {
    const text = shown(of(item));
    return `"${(/^[=+\-@]/.test(text) ? `'${text}` : text).replaceAll('"', '""')}"`;
  });
  return `${cells.join(',')}\n`;
}

/** An access that was refused says why; of any other failure the error is the reason, and an access that was allowed explains nothing. */
function reasonOf({ annotations = {} }: AuditItem['event']): string | undefined {
  const { 'tappaas.dev/error': error, 'authorization.k8s.io/reason': reason, 'authorization.k8s.io/decision': decision } = annotations;
  if (error === undefined) return reason;
  return decision === 'forbid' && reason !== undefined ? `${error}: ${reason}` : error;
}

function aboutOf({ objectRef, requestURI, annotations = {} }: AuditItem['event']): string {
  if (objectRef === undefined) return [requestURI, annotations['graphql.operation']].filter((part) => part !== undefined).join(' ');
  const { resource = '', namespace, name, subresource } = objectRef;
  const what = subresource === undefined ? resource : `${resource}/${subresource}`;
  return [what, [namespace, name].filter((part) => part !== undefined).join('/')].filter((part) => part !== '').join(' ');
}
