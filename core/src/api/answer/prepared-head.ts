import type { Exchange } from '../request/exchange.js';

/** The lines of a head that are the same in every answer: names and values that are known to be sound. */
export function headLines(names: readonly string[]): string {
  let text = '';
  for (let index = 0; index + 1 < names.length; index += 2) text += `${names[index]}: ${names[index + 1]}\r\n`;
  return text;
}

/** What node:http makes of a status line and headers; it has no public way to be given the text of them. */
interface HeadText {
  _header: string;
  _headerSent: boolean;
}

/** Anything else is left to node:http to look at, and to refuse. */
const unusual = /[^\t\x20-\x7e]/;

let lastSecond = Number.NaN;
let lastDate = '';

/** Answers within a second share the text. */
function dateText(ms: number): string {
  const second = Math.floor(ms / 1000);
  if (second !== lastSecond) {
    lastSecond = second;
    lastDate = new Date(second * 1000).toUTCString();
  }
  return lastDate;
}

/**
 * Begins an answer 200 on a connection that stays open: with lines that were made before, and the headers that are the request's own. Body,
 * order of answers and back pressure stay node:http's: it finds the head it would have made, byte for byte, without looking at each header
 * again.
 *
 * Answers false, and nothing has happened, when there is more to it.
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
  // node:http declares neither field.
  const head = response as unknown as HeadText;
  head._header = `${text}Date: ${dateText(receivedAtMs)}\r\nConnection: keep-alive\r\n\r\n`;
  head._headerSent = false;
  return true;
}
