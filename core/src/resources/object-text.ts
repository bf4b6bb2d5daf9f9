import type { Body } from './stored-object.js';

/**
 * The serialized object without its resourceVersion, which the store assigns. It has two parts: everything but the managed fields, and the
 * list of these (empty if there are none). API version and kind come first, then the metadata.
 */
export interface ObjectText {
  readonly lean: string;
  readonly managed: string;
}

/** Serializes an object for storage. */
export function textOf({ apiVersion, kind, metadata, ...rest }: Body): ObjectText {
  const { resourceVersion: _, managedFields, ...kept } = metadata;
  return {
    lean: JSON.stringify({ apiVersion, kind, metadata: kept, ...rest }),
    managed: managedFields === undefined ? '' : JSON.stringify(managedFields),
  };
}

/** Joins the parts. Managed fields come first in the metadata, so that they can be found again without parsing. */
export function wholeText({ lean, managed }: ObjectText): string {
  return managed === '' ? lean : withMembers(lean, `${managedFields}${managed}`);
}

/** Joins the parts and inserts the resourceVersion, as sent over the wire. */
export function versionedText({ lean, managed }: ObjectText, resourceVersion: string): string {
  const version = `"resourceVersion":"${resourceVersion}"`;
  return withMembers(lean, managed === '' ? version : `${version},${managedFields}${managed}`);
}

/** Splits the bytes of {@link wholeText} between two offsets; undefined when they have another form. */
export function readText(bytes: Buffer, start: number, end: number): ObjectText | undefined {
  const metadata = bytes.indexOf(metadataHead, start);
  const head = metadata + metadataHead.length;
  if (metadata < 0 || !headForm.test(bytes.toString('latin1', start, head))) return undefined;
  if (bytes.toString('latin1', head, head + managedFields.length) !== managedFields)
    return { lean: bytes.toString('utf8', start, end), managed: '' };
  const list = head + managedFields.length;
  const listEnd = endOfList(bytes, list);
  const rest = bytes[listEnd] === code.comma ? listEnd + 1 : listEnd;
  return { lean: bytes.toString('utf8', start, head) + bytes.toString('utf8', rest, end), managed: bytes.toString('utf8', list, listEnd) };
}

const metadataHead = '"metadata":{';
const managedFields = '"managedFields":';
const headForm = /^\{"apiVersion":"[^"\\]*","kind":"[^"\\]*","metadata":\{$/;
const code = { quote: 0x22, backslash: 0x5c, comma: 0x2c, open: 0x5b, close: 0x5d, closeObject: 0x7d };

/** Inserts members before those of the metadata. */
function withMembers(lean: string, members: string): string {
  // API version and kind contain no quotation mark, so the first match is the metadata.
  const head = lean.indexOf(metadataHead) + metadataHead.length;
  const comma = lean.charCodeAt(head) === code.closeObject ? '' : ',';
  return `${lean.slice(0, head)}${members}${comma}${lean.slice(head)}`;
}

/** Returns the offset after the list that begins at `start`. */
function endOfList(bytes: Uint8Array, start: number): number {
  let depth = 0;
  for (let at = start; at < bytes.length; at += 1) {
    const byte = bytes[at];
    if (byte === code.quote) at = endOfString(bytes, at);
    else if (byte === code.open) depth += 1;
    else if (byte === code.close && --depth === 0) return at + 1;
  }
  return bytes.length;
}

/** Returns the offset of the quotation mark that closes the one at `start`. */
function endOfString(bytes: Uint8Array, start: number): number {
  let at = start + 1;
  while (at < bytes.length && bytes[at] !== code.quote) at += bytes[at] === code.backslash ? 2 : 1;
  return at;
}
