/** Thrown for bytes that are not valid protobuf. */
export class WireError extends Error {}

export type WireType = 0 | 1 | 2 | 5;

const bytesOf64 = 8;
const varintBytesMax = 10;

/** Reads the wire format of protobuf; every length is checked against the remaining bytes. */
export class WireReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #position = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get isAtEnd(): boolean {
    return this.#position >= this.#bytes.byteLength;
  }

  /** Reads the number and wire type of the next field. */
  tag(): { readonly number: number; readonly wire: WireType } {
    const tag = Number(this.varint());
    const wire = tag % 8;
    const number = (tag - wire) / 8;
    if (number < 1 || number > 536_870_911 || !(wire === 0 || wire === 1 || wire === 2 || wire === 5))
      throw new WireError('a field has no valid tag');
    return { number, wire };
  }

  varint(): bigint {
    let value = 0n;
    for (let index = 0; index < varintBytesMax; index += 1) {
      const byte = this.#bytes[this.#position];
      if (byte === undefined) throw new WireError('the message ends in the middle of a number');
      this.#position += 1;
      value |= BigInt(byte & 0x7f) << BigInt(7 * index);
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw new WireError('a number is longer than 64 bits');
  }

  /** Reads a signed number that JSON can represent exactly. */
  integer(): number {
    const value = Number(BigInt.asIntN(64, this.varint()));
    if (!Number.isSafeInteger(value)) throw new WireError('a number is too large');
    return value;
  }

  double(): number {
    return this.#view.getFloat64(this.#take(bytesOf64), true);
  }

  /** Returns a part of the message, without copying it. */
  chunk(): Uint8Array {
    const length = this.varint();
    if (length > BigInt(this.#bytes.byteLength)) throw new WireError('a part is longer than the message');
    const start = this.#take(Number(length));
    return this.#bytes.subarray(start, this.#position);
  }

  skip(wire: WireType): void {
    if (wire === 0) this.varint();
    else if (wire === 2) this.chunk();
    else this.#take(wire === 1 ? bytesOf64 : 4);
  }

  #take(length: number): number {
    const start = this.#position;
    if (start + length > this.#bytes.byteLength) throw new WireError('the message ends in the middle of a field');
    this.#position = start + length;
    return start;
  }
}
