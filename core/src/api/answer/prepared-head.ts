import type { Exchange } from '../request/exchange.js';

/** Formats headers that are the same in every answer; names and values must be valid. */
export function headLines(names: readonly string[]): string {
  let text = '';
  for (let index = 0; index + 1 < names.length; index += 2) text += `${names[index]}: ${names[index + 1]}\r\n`;
  return text;
}

/** Private fields of node:http with the text of a head; it has no public way to set that text. */
interface HeadText {
  _header: string;
  _headerSent: boolean;
}

/** Values with other characters are left to node:http to check and to refuse. */
const unusual = /[^\t\x20-\x7e]/;

let lastSecond = Number.NaN;
let lastDate = '';

/** Returns the Date header; cached, because answers within a second share it. */
function dateText(ms: number): string {
  const second = Math.floor(ms / 1000);
  if (second !== lastSecond) {
    lastSecond = second;
    lastDate = new Date(second * 1000).toUTCString();
  }
  return lastDate;
}

/**
 * Begins an answer with status 200 on a connection that stays open, from prepared lines and the request's own headers. node:http still
 * handles body, order of answers and back pressure: it finds the same head, byte for byte, that it would have made, without validating each
 * header again.
 *
 * Returns false and does nothing if the answer needs more than that.
 */
export function beginPrepared({ response, awaitsContinue, requestId, extraHeaders, receivedAtMs }: Exchange, lines: string): boolean {
  if (!response.shouldKeepAlive || awaitsContinue || response.getHeaderNames().length > 0) return false;
  let text = `HTTP/1.1 200 OK\r\n${lines}X-Request-Id: ${requestId}\r\n`;
  for (let index = 0; index + 1 < extraHeaders.length; index += 2) {
    const [name = '', value = ''] = [extraHeaders[index], extraHeaders[index + 1]];
    if (name === 'Connection' || unusual.test(value)) return false;
    text += `${name}: ${value}\r\n`;
  }
  response.statusMessage = 'OK';
  // node:http's types declare neither field.
  const head = response as unknown as HeadText;
  head._header = `${text}Date: ${dateText(receivedAtMs)}\r\nConnection: keep-alive\r\n\r\n`;
  head._headerSent = false;
  return true;
}
