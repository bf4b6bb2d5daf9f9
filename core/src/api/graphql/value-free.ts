/**
 * Patterns of what a message says about a value without quoting it. The last match is about the value itself. Messages may quote values of
 * any length: each part is bounded and starts at a word, so matching takes time linear in the message.
 */
const rules = new RegExp(
  [
    'Field "?[\\w.[\\]]{1,256}"? of required type "?[\\w[\\]!]{1,256}"? was not provided',
    'Field "?[\\w.[\\]]{1,256}"? is not defined by type "?[\\w[\\]!]{1,256}"?',
    'Expected (?:value of )?type "?[\\w[\\]!]{1,256}"?',
    '\\b\\w{1,256} cannot represent (?:a )?non[- ][\\w -]{1,64} value',
  ].join('|'),
  'g',
);
const ofVariable = /^(Variable "\$\w+") got invalid value /;
const ofLiteral = /^(Expected value of type "[^"]+"), found |^(\w+ cannot represent (?:a )?non[- ][\w -]+ value): /;

/**
 * Removes the value from the message of a type mismatch: it may be a password in the wrong place, and clients keep error messages.
 */
export function withoutValue(message: string): string {
  const [, variable] = ofVariable.exec(message) ?? [];
  if (variable === undefined) {
    const [, expected, impossible] = ofLiteral.exec(message) ?? [];
    return expected ?? impossible ?? message;
  }
  const rule = message.match(rules)?.at(-1);
  const [, at] = / at "([\w.[\]]+)"; /.exec(message) ?? [];
  return `${variable} got an invalid value${at === undefined ? '' : ` at "${at}"`}${rule === undefined ? '' : `: ${rule}`}`;
}
