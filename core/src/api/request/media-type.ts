import { apiErrors } from '../errors.js';

/** The form of an answer; `as` is another shape of the same objects. */
export interface Representation {
  readonly encoding: 'json' | 'yaml';
  readonly as?: 'Table' | 'PartialObjectMetadata' | 'PartialObjectMetadataList' | 'APIGroupDiscoveryList';
  readonly version?: string;
}

const json: Representation = { encoding: 'json' };
const yaml: Representation = { encoding: 'yaml' };
const acceptCharsMax = 2048;
const choicesMax = 32;
const remembered = new Map<string, readonly Choice[]>();
const rememberedMax = 256;

interface Choice extends Representation {
  readonly type: string;
}

/**
 * Chooses the representation by `Accept`, in the client's order. `shapes` are the transformations that the path supports; if nothing
 * matches, the answer is 406.
 *
 * @throws TAP_REQUEST_NOT_ACCEPTABLE
 */
export function negotiate(accept: string | undefined, shapes: readonly Representation['as'][] = []): Representation {
  if (accept === undefined || accept === '' || accept === '*/*' || accept === 'application/json') return json;
  for (const choice of choicesOf(accept)) {
    if (choice.as !== undefined && !(shapes.includes(choice.as) && isServed(choice))) continue;
    return choice;
  }
  throw apiErrors.TAP_REQUEST_NOT_ACCEPTABLE({ message: 'nothing that the Accept header allows is served here' });
}

/** The media type of a watch: plain JSON, as a kube-apiserver calls it, unless the client accepts the stream type by name. */
export function watchMediaType(accept: string | undefined): string {
  return /application\/json\s*;\s*stream=watch/i.test(accept ?? '') ? 'application/json;stream=watch' : 'application/json';
}

/** Whether failures are answered as `application/problem+json`. */
export function wantsProblem(accept: string | undefined): boolean {
  return accept?.includes('application/problem+json') === true;
}

const utf8 = /^charset="?(utf-?8|us-ascii)"?$/;

/**
 * Returns the media type of a `Content-Type` header in lower case, without parameters. Bodies are always read as UTF-8: with another
 * charset, the whole header is returned, which matches no supported type.
 */
export function mediaTypeOf(header: string | undefined): string {
  const accepted = (header ?? '').toLowerCase();
  const [type = '', ...parameters] = accepted.split(';');
  const charset = parameters.map((each) => each.trim()).find((each) => each.startsWith('charset='));
  return charset === undefined || utf8.test(charset) ? type.trim() : accepted;
}

function isServed({ as, version }: Choice): boolean {
  return as === 'APIGroupDiscoveryList' ? version === 'v2' : version === 'v1';
}

/** Parses an Accept header. Cached, because the same few headers recur; a full cache is cleared. */
function choicesOf(accept: string): readonly Choice[] {
  const known = remembered.get(accept);
  if (known !== undefined) return known;
  const choices = accept.slice(0, acceptCharsMax).split(',').slice(0, choicesMax).flatMap(parseChoice);
  if (remembered.size >= rememberedMax) remembered.clear();
  remembered.set(accept, choices);
  return choices;
}

function parseChoice(text: string): readonly Choice[] {
  const [type = '', ...parameters] = text.split(';').map((part) => part.trim());
  const named = new Map(parameters.map((parameter) => parameter.split('=', 2) as [string, string]));
  if (/^0(?:\.0*)?$/.test(named.get('q') ?? '')) return [];
  const encoding = encodings.get(type.toLowerCase());
  if (encoding === undefined) return [];
  const as = named.get('as') as Representation['as'];
  const version = named.get('v');
  return [{ ...encoding, type, ...(as !== undefined && { as }), ...(version !== undefined && { version }) }];
}

const encodings: ReadonlyMap<string, Representation> = new Map([
  ['application/json', json],
  ['application/problem+json', json],
  ['application/*', json],
  ['*/*', json],
  ['application/yaml', yaml],
]);
