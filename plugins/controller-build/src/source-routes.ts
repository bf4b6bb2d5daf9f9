import type { HttpAnswer, Route } from '@tappaas/sdk';
import { sourceErrors } from './errors.js';
import type { SourceShelf } from './source-shelf.js';

const digestForm = /^sha256:[0-9a-f]{64}$/;

/** `PUT /sources/{digest}` takes an archive; `GET /sources/{digest}` says whether it is there already. */
export function sourceRoutes(shelf: SourceShelf, uploadBytesMax: number): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/sources/:digest',
      description: 'Says whether a source archive was uploaded already.',
      bodyBytesMax: 0,
      auth: 'caller',
      isWellKnown: true,
      handle: async ({ params }) => ((await shelf.has(digestOf(params))) ? { status: 204 } : { status: 404 }),
    },
    {
      method: 'PUT',
      path: '/sources/:digest',
      description: 'Takes a gzipped tar of source, addressed by its SHA-256; nothing of it is unpacked before it was inspected whole.',
      bodyBytesMax: uploadBytesMax,
      auth: 'caller',
      isWellKnown: true,
      async handle({ params, body }) {
        const digest = digestOf(params);
        await shelf.put(digest, body);
        return json(201, { digest, bytes: body.length });
      },
    },
  ];
}

function digestOf(params: Readonly<Record<string, string>>): string {
  const digest = params['digest'] ?? '';
  if (digestForm.test(digest)) return digest;
  throw sourceErrors.CONTROLLER_BUILD_DIGEST_MISMATCH({
    message: `"${digest.slice(0, 80)}" is not a digest; expected sha256: and 64 hexadecimal digits`,
  });
}

function json(status: number, value: object): HttpAnswer {
  return { status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(value) };
}
