import { isTapError, Type, type Action, type Immutable, type RequestContext, type Resources } from '@tappaas/sdk';
import { createToken } from '@tappaas/sdk/bearer-token';
import { ApiToken, type ApiTokenObject } from './contract.js';
import { errors } from './errors.js';
import { isMadeWith, makerOf } from './made-with.js';
import { excessRights } from './rights.js';

const input = Type.Object({});
const output = Type.Object({
  token: Type.Optional(Type.String({ description: 'The token; shown this once. Absent on a dry run.' })),
  expiresAt: Type.Optional(Type.String({ format: 'date-time', description: 'When the token expires.' })),
});

/** Generates the secret of a token; a repeated call generates another one and invalidates the previous one. */
export const issueAction: Action<typeof ApiToken, typeof input, typeof output> = {
  on: ApiToken,
  name: 'issue',
  description: 'Generates the secret of the token and shows it once; a secret issued before becomes invalid.',
  input,
  output,
  handle: ({ object, dryRun }, context) => issue(object, dryRun, context),
};

const attemptsMax = 5;

/** @throws IDENTITY_TOKEN_EXCEEDS_RIGHTS, TAP_OBJECT_CONFLICT */
async function issue(
  object: Immutable<ApiTokenObject>,
  dryRun: boolean,
  { caller, asPlugin }: RequestContext,
): Promise<Type.Static<typeof output>> {
  const { metadata, spec } = object;
  const [excess] = excessRights(spec, caller);
  if (excess !== undefined) {
    throw errors.IDENTITY_TOKEN_EXCEEDS_RIGHTS({ message: `token "${metadata.name}": ${excess.message}`, field: excess.field });
  }
  const until = spec.expiresAt === undefined ? {} : { expiresAt: spec.expiresAt };
  const maker = makerOf(caller);
  if (maker !== undefined && maker.uid !== metadata.uid && !isMadeWith(object, maker)) {
    const message = `token "${metadata.name}" was not made with the token "${maker.name}" that you use, and would go on when that one ends`;
    throw errors.IDENTITY_TOKEN_EXCEEDS_RIGHTS({ message });
  }
  if (dryRun) return until;
  const { token, id, sha256 } = createToken();
  await keep(object, { tokenId: id, sha256 }, asPlugin, attemptsMax);
  return { token, ...until };
}

/** Writes the hash, retrying on conflicts. The status may have changed since the check, but not the spec. */
async function keep({ metadata }: Immutable<ApiTokenObject>, record: object, asPlugin: Resources, attempts: number): Promise<void> {
  const { name, uid, generation, resourceVersion } = metadata;
  try {
    await asPlugin.patch(ApiToken, { name }, { metadata: { resourceVersion }, spec: record });
  } catch (error) {
    const now = isTapError(error, 'TAP_OBJECT_CONFLICT') && attempts > 1 ? await asPlugin.get(ApiToken, { name }) : undefined;
    if (now === undefined || now.metadata.uid !== uid || now.metadata.generation !== generation) throw error;
    await keep(now, record, asPlugin, attempts - 1);
  }
}
