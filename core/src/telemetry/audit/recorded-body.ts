import { jsonText } from './json-text.js';

const secretNames = /(?:token|secret|passw|credential|authorization|cookie|api[-_]?key|private[-_]?key|signature|kubeconfig)/i;
/** Names of references to a secret, which reveal its location but not its content. */
const references = /(?:ref|refs|name|names|namespace|reference|keyref)$/i;
const secretShapes = /tapp_[A-Za-z0-9_-]{8}|-----BEGIN [A-Z ]*PRIVATE KEY-----/;
/** Whole words followed by two dots. Each word is scanned once, because the sender of a body controls how often a token seems to begin. */
const beforeDots = /(?<![A-Za-z0-9_-])[A-Za-z0-9_-]{11,}(?=\.[A-Za-z0-9_-]+\.)/g;
const headOfToken = /\beyJ[A-Za-z0-9_-]{8}/;
const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';
const hidden = '[redacted]';
const depthMax = 64;

/**
 * Returns a body as recorded at the levels Request and RequestResponse: JSON without values that look like credentials by the name of their
 * field, by the name beside them (as in `env`), or by their form. A body that is too large or not JSON is replaced by a note.
 */
export function recordedBody(body: Uint8Array | string, bytesMax: number): string | undefined {
  const bytes = body.length;
  if (bytes === 0) return undefined;
  if (bytes > bytesMax) return leftOut(`larger than ${bytesMax} bytes: ${bytes}`);
  try {
    const value: unknown = JSON.parse(typeof body === 'string' ? body : Buffer.from(body).toString('utf8'));
    return jsonText(cleaned(value, 0));
  } catch {
    return leftOut('not JSON');
  }
}

function leftOut(reason: string): string {
  return jsonText({ 'tappaas.dev/left-out': reason });
}

function cleaned(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return hasSecretShape(value) ? hidden : value;
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= depthMax) return hidden;
  if (Array.isArray(value)) return value.map((item) => cleaned(item, depth + 1));
  return cleanedObject(value, depth);
}

function hasSecretShape(text: string): boolean {
  return secretShapes.test(text) || text.matchAll(beforeDots).some(([word]) => headOfToken.test(word));
}

function cleanedObject(object: object, depth: number): object {
  const members = Object.entries(object) as [string, unknown][];
  const isPair = members.some(([name, value]) => name === 'name' && typeof value === 'string' && secretNames.test(value));
  return Object.fromEntries(
    members.map(([name, value]) => [name, isSecret(name) || (isPair && name === 'value') ? hidden : cleaned(value, depth + 1)]),
  );
}

function isSecret(name: string): boolean {
  return name === lastApplied || (secretNames.test(name) && !references.test(name));
}
