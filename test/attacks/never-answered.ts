/** Operations that never succeed when the fuzzer requests them, with the reason: all others must succeed at least once. */
import type { Operation } from './openapi-document.ts';

const reasons: readonly { readonly mount?: string; readonly operation: RegExp; readonly because: string }[] = [
  { operation: /^GET .*\/(exec|attach)$/, because: 'it is a WebSocket, and plain requests are made' },
  { operation: /^POST .*\/(exec|attach|portforward)$/, because: 'it is refused to every client, who is told what to do instead' },
  {
    operation: /^PUT .*\/apitokens\/\{name\}$/,
    because: 'when a token ends is filled in and cannot change: it is replaced only by what was read',
  },
  { mount: '/clusters/local', operation: /\{name\}/, because: 'in the cluster every write is a dry run, so nothing there has the name' },
];

export function reasonNeverAnswered(mount: string, { method, path }: Operation): string | undefined {
  return reasons.find((each) => (each.mount ?? mount) === mount && each.operation.test(`${method} ${path}`))?.because;
}
