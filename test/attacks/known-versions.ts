/** The versions that objects were last seen at: conditions and replacements hold only when they name them. */
import type { FuzzAnswer } from './answer-check.ts';
import type { FuzzRequest } from './openapi-requests.ts';
import { knownVersion } from './openapi-texts.ts';

interface Seen {
  readonly metadata?: { readonly name?: string; readonly resourceVersion?: string };
}

export class KnownVersions {
  readonly #versions = new Map<string, string>();

  /** The request with the version that its object has, where it names one. */
  placed(request: FuzzRequest): FuzzRequest {
    const version = this.#versions.get(placeOf(request, nameIn(request))) ?? '1';
    const headers = Object.entries(request.headers).map(([name, value]) => [name, value.replaceAll(knownVersion, version)]);
    const body = request.body?.replaceAll(knownVersion, version);
    return { ...request, headers: Object.fromEntries(headers) as FuzzRequest['headers'], ...(body !== undefined && { body }) };
  }

  note(request: FuzzRequest, { status, type, text }: FuzzAnswer): void {
    if (status >= 300 || type !== 'application/json') return;
    const { metadata } = JSON.parse(text) as Seen;
    if (metadata?.name === undefined || metadata.resourceVersion === undefined) return;
    this.#versions.set(placeOf(request, metadata.name), metadata.resourceVersion);
  }
}

/** The collection, and the name in it. */
function placeOf({ operation, path }: FuzzRequest, name: string): string {
  const [whole = ''] = path.split('?');
  const named = operation.path.split('/').indexOf('{name}');
  return `${named < 0 ? whole : whole.split('/').slice(0, named).join('/')} ${name}`;
}

function nameIn({ operation, path }: FuzzRequest): string {
  const named = operation.path.split('/').indexOf('{name}');
  return named < 0 ? '' : (path.split('?', 1)[0]?.split('/')[named] ?? '');
}
