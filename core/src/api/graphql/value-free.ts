/** What can be said of a value without repeating it; in the order in which messages hold them, the last one is about the value itself. */
const rules = new RegExp(
  [
    'Field "?[\\w.[\\]]+"? of required type "?[\\w[\\]!]+"? was not provided',
    'Field "?[\\w.[\\]]+"? is not defined by type "?[\\w[\\]!]+"?',
    'Expected (?:value of )?type "?[\\w[\\]!]+"?',
    '\\w+ cannot represent (?:a )?non[- ][\\w -]+ value',
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
