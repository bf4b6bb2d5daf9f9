import { resourceErrors } from './errors.js';
import type { KindVersionEntry } from './kind-entry.js';
import { canonicalForm } from './schema/canonical-form.js';
import { parseJson } from './schema/json-document.js';
import { isJsonObject, type JsonObject } from './schema/json-value.js';
import { pruneUnknown, strictDecodingFindings } from './schema/unknown-fields.js';
import { parseYaml } from './schema/yaml-document.js';

/** Limit of a request body in bytes. The listener enforces it as well; callers inside the platform meet it here. */
export const bodyBytesMax = 1024 * 1024;

export type FieldValidation = 'Strict' | 'Warn' | 'Ignore';

/** A decoded body. */
export interface Intake {
  readonly object: JsonObject;
  readonly warnings: readonly string[];
}

/**
 * Decodes a body into an object of `version`. Unknown and duplicate fields are refused, reported as warnings, or dropped silently.
 *
 * @throws TAP_REQUEST_INVALID, TAP_REQUEST_TOO_LARGE, TAP_DOCUMENT_SYNTAX, TAP_DOCUMENT_LIMIT
 */
export function takeIn(body: Uint8Array, mediaType: 'json' | 'yaml', version: KindVersionEntry, fieldValidation: FieldValidation): Intake {
  const { value, duplicates } = parseBody(body, mediaType);
  return takeObject(value, duplicates, version, fieldValidation);
}

/** Decodes a body to plain data. @throws TAP_REQUEST_TOO_LARGE, TAP_DOCUMENT_SYNTAX, TAP_DOCUMENT_LIMIT */
export function parseBody(
  body: Uint8Array,
  mediaType: 'json' | 'yaml',
): { readonly value: unknown; readonly duplicates: readonly string[] } {
  if (body.byteLength > bodyBytesMax) {
    throw resourceErrors.TAP_REQUEST_TOO_LARGE({ message: `the body has ${body.byteLength} bytes, at most ${bodyBytesMax} are taken` });
  }
  const text = decodeUtf8(body);
  return mediaType === 'json' ? parseJson(text) : parseYaml(text);
}

function decodeUtf8(body: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch {
    throw resourceErrors.TAP_REQUEST_INVALID({ message: 'the body is not valid UTF-8' });
  }
}

/** Makes an object of `version` from decoded data, which patches `kept` if given. @throws TAP_REQUEST_INVALID */
export function takeObject(
  value: unknown,
  duplicates: readonly string[],
  version: KindVersionEntry,
  fieldValidation: FieldValidation,
  kept?: JsonObject,
): Intake {
  const { kind } = version.served;
  if (!isJsonObject(value)) {
    throw resourceErrors.TAP_REQUEST_INVALID({
      message: `expected an object of kind ${kind}, found ${JSON.stringify(value)?.slice(0, 40)}`,
    });
  }
  refuseOtherKind(value, version);
  const { object, unknown } = pruneUnknown(version.type, { ...value, apiVersion: version.apiVersion, kind }, kept);
  const findings = strictDecodingFindings(unknown, duplicates);
  if (findings.length > 0 && fieldValidation === 'Strict') {
    throw resourceErrors.TAP_REQUEST_INVALID({ message: `strict decoding error: ${findings.join(', ')}` });
  }
  const canonical = canonicalForm(version.type, object, { emptyIsAbsent: version.served.strategicMerge, kept });
  if (canonical['metadata'] !== undefined && !isJsonObject(canonical['metadata'])) {
    throw resourceErrors.TAP_REQUEST_INVALID({ message: 'metadata: expected an object', field: 'metadata' });
  }
  return { object: canonical, warnings: fieldValidation === 'Warn' ? findings : [] };
}

function refuseOtherKind(value: JsonObject, { apiVersion, served }: KindVersionEntry): void {
  const { apiVersion: writtenVersion, kind: writtenKind } = value;
  if (writtenKind !== undefined && writtenKind !== '' && writtenKind !== served.kind) {
    throw resourceErrors.TAP_REQUEST_INVALID({
      message: `kind: expected ${served.kind}, found ${JSON.stringify(writtenKind)}`,
      field: 'kind',
    });
  }
  if (writtenVersion !== undefined && writtenVersion !== '' && writtenVersion !== apiVersion) {
    const message = `apiVersion: expected ${apiVersion}, found ${JSON.stringify(writtenVersion)}`;
    throw resourceErrors.TAP_REQUEST_INVALID({ message, field: 'apiVersion' });
  }
}
