/**
 * What can be said of a value without repeating it; in the order in which messages hold them, the last one is about the value itself. Messages
 * quote values of any length: each part is bounded and begins a word, so that looking takes as long as the message is, and no longer.
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
 * The message of a value that does not fit its type, without the value: it may be a password in the wrong place, and messages of errors are
 * kept by whoever gets them.
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
