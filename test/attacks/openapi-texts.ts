/** Names and other texts: mostly ones that meet each other, now and then hostile ones. */
import { constantFrom, oneof, string } from 'fast-check';

/** The namespace of most requests. */
export const namespace = 'fuzz';
/** The namespace of another tenant, for a part of the requests. */
export const otherNamespace = 'fuzz-rival';
/** Stands for the version that the object has when the request is sent. */
export const knownVersion = '{known version}';

/** Objects meet each other when names are few. */
export const names = ['a', 'b'];
const hostileText = [
  '',
  '..',
  '__proto__',
  'constructor',
  '\0',
  '\r\nX: y',
  '<script>',
  '\u202e',
  '🚀',
  '%2f',
  'a/b',
  ' ',
  '-',
  'A'.repeat(300),
];

export const text = oneof(
  { weight: 40, arbitrary: constantFrom(...names) },
  { weight: 4, arbitrary: string({ maxLength: 20 }) },
  { weight: 2, arbitrary: constantFrom(...hostileText) },
);
