const [quote, colon, backslash] = [0x22, 0x3a, 0x5c];
/** Smaller bodies have too few keys to count. */
const bytesMin = 1024;

/** Counts the keys of a JSON text without parsing it: the colons outside of strings. Takes a fraction of a parser's time. */
export function keysInJson(json: Uint8Array): number {
  if (json.byteLength < bytesMin) return 0;
  let keys = 0;
  let isText = false;
  for (let at = 0; at < json.byteLength; at += 1) {
    const byte = json[at];
    if (byte === quote) isText = !isText;
    else if (byte === backslash) at += 1;
    else if (byte === colon && !isText) keys += 1;
  }
  return keys;
}
