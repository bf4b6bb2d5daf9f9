const annotationsMax = 32;
const nameCharsMax = 128;
const valueCharsMax = 1024;

/** Facts about a request that stages and handlers add for audit. Excess text is cut, excess entries are dropped; neither is an error. */
export class Annotations extends Map<string, string> {
  override set(name: string, value: string): this {
    if (name.length > nameCharsMax || (this.size >= annotationsMax && !this.has(name))) return this;
    return super.set(name, value.length > valueCharsMax ? `${value.slice(0, valueCharsMax)}…` : value);
  }
}
