const annotationsMax = 32;
const nameCharsMax = 128;
const valueCharsMax = 1024;

/** Facts that stages and handlers note about a request for audit; what exceeds the bounds is cut or left out, never an error. */
export class Annotations extends Map<string, string> {
  override set(name: string, value: string): this {
    if (name.length > nameCharsMax || (this.size >= annotationsMax && !this.has(name))) return this;
    return super.set(name, value.length > valueCharsMax ? `${value.slice(0, valueCharsMax)}…` : value);
  }
}
