/** Also those that would show a line in another order than it has. A line break and a tab move nothing that has been written. */
const controls = /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/gu;

const writtenOut = (character: string): string => String.raw`\u` + character.charCodeAt(0).toString(16).padStart(4, '0');

/** A text of others as a terminal may have it: what would clear it, name it or hide what stands there is written out. Of JSON it is the same value. */
export const harmless = (text: string): string =>
  text.replace(controls, (character) => (character === '\n' || character === '\t' ? character : writtenOut(character)));

/** The same for a text that is a part of a line: no text begins a line of its own. */
export const harmlessLine = (text: string): string => text.replace(controls, writtenOut);
