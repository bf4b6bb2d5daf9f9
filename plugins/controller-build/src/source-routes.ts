import { fieldIs, type HttpAnswer, type HttpRequest, type RequestContext, type Route } from '@tappaas/sdk';
import { Build } from '@tappaas/sdk/kinds';
import { sourceErrors } from './errors.js';
import type { Claimant } from './source-holders.js';
import type { SourceOf, SourceStore } from './source-store.js';

const digestForm = /^sha256:[0-9a-f]{64}$/;
const namespaceForm = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/;

/**
 * `PUT /sources/{digest}?namespace={namespace}` stores an archive; `GET` says whether the caller has uploaded it for the namespace already.
 * Making an archive of one's own available to a namespace is harmless, so neither checks the namespace's existence or owner.
 */
export function sourceRoutes(store: SourceStore, uploadBytesMax: number): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/sources/:digest',
      description: 'Whether the caller, or another user of the same tenant, has already uploaded a source archive for `namespace`.',
      bodyBytesMax: 0,
      auth: 'caller',
      isWellKnown: true,
      handle: async (request, context) =>
        (await store.has(digestOf(request), claimantOf(request, context))) ? { status: 204 } : { status: 404 },
    },
    {
      method: 'PUT',
      path: '/sources/:digest',
      description:
        'Uploads a gzipped tar of source for `namespace`, addressed by its SHA-256; nothing is unpacked before the whole archive was inspected.',
      bodyBytesMax: uploadBytesMax,
      auth: 'caller',
      isWellKnown: true,
      async handle(request, context) {
        const digest = digestOf(request);
        await store.put(digest, request.body, claimantOf(request, context), (source) => hasOpenBuild(source, context));
        return json(201, { digest, bytes: request.body.length });
      },
    },
  ];
}

/** Maximum number of builds of one source in one namespace. */
const buildsMax = 1_000;

/** Whether a build of the source has not ended for good. A cancelled build counts, since it may be requested again. */
async function hasOpenBuild({ digest, namespace }: SourceOf, { asPlugin }: RequestContext): Promise<boolean> {
  const ofDigest = { namespace, fields: fieldIs('spec.source.digest', digest), itemsMax: buildsMax };
  for await (const { status } of asPlugin.list(Build, ofDigest))
    if (status?.phase !== 'Succeeded' && status?.phase !== 'Failed') return true;
  return false;
}

function claimantOf({ query }: HttpRequest, { caller }: RequestContext): Claimant {
  const namespace = query['namespace'] ?? '';
  if (namespaceForm.test(namespace)) return { namespace, caller };
  throw sourceErrors.CONTROLLER_BUILD_NAMESPACE_MISSING({
    message: `query parameter namespace is "${namespace.slice(0, 80)}", expected the name of the namespace that the source is for`,
  });
}

function digestOf({ params }: HttpRequest): string {
  const digest = params['digest'] ?? '';
  if (digestForm.test(digest)) return digest;
  throw sourceErrors.CONTROLLER_BUILD_DIGEST_MISMATCH({
    message: `"${digest.slice(0, 80)}" is not a digest; expected sha256: and 64 hexadecimal digits`,
  });
}

function json(status: number, value: object): HttpAnswer {
  return { status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(value) };
}
