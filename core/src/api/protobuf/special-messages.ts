import { WireError } from './wire-reader.js';

type Decoded = Readonly<Record<string, unknown>>;

/** Converts messages that are not objects in JSON. `undefined`: not set. */
export const specialMessages: Readonly<Record<string, (fields: Decoded) => unknown>> = {
  'io.k8s.apimachinery.pkg.apis.meta.v1.Time': (fields) => timestamp(fields, 0),
  'io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime': (fields) => timestamp(fields, 6),
  'io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1': (fields) => embedded(fields['Raw']),
  'io.k8s.apimachinery.pkg.api.resource.Quantity': (fields) => fields['string'] ?? '0',
  'io.k8s.apimachinery.pkg.runtime.RawExtension': (fields) => embedded(fields['-']),
  'io.k8s.apimachinery.pkg.util.intstr.IntOrString': (fields) =>
    fields['type'] === 1 ? (fields['strVal'] ?? '') : (fields['intVal'] ?? 0),
  'io.k8s.api.authentication.v1.ExtraValue': (fields) => fields['items'] ?? [],
  'io.k8s.api.authorization.v1.ExtraValue': (fields) => fields['items'] ?? [],
};

/** Formats a time with whole seconds, or with six digits for a micro time; zero in both fields is Go's unset time. */
function timestamp({ seconds = 0, nanos = 0 }: Decoded, digits: number): string | undefined {
  if (typeof seconds !== 'number' || typeof nanos !== 'number' || (seconds === 0 && nanos === 0)) return undefined;
  const time = new Date(seconds * 1000);
  if (Number.isNaN(time.getTime())) throw new WireError('a time is out of range');
  const fraction = digits === 0 ? '' : `.${String(nanos).padStart(9, '0').slice(0, digits)}`;
  return `${time.toISOString().slice(0, -5)}${fraction}Z`;
}

/** Parses a JSON document embedded in a message. */
function embedded(base64: unknown): unknown {
  if (typeof base64 !== 'string' || base64 === '') return undefined;
  try {
    return JSON.parse(Buffer.from(base64, 'base64').toString('utf8')) as unknown;
  } catch {
    throw new WireError('an embedded document is not JSON');
  }
}
