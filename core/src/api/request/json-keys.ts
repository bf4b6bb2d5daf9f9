const [quote, colon, backslash] = [0x22, 0x3a, 0x5c];
/** What is smaller has no keys worth counting. */
const bytesMin = 1024;

/** The keys in a text of JSON, counted without reading it: the colons that stand in no text. It takes a small part of what a parser does. */
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
