import { type Caller, type HttpAnswer, platformEngine } from '@tappaas/sdk';
import { subjectsFor } from '../../access/access-rules.js';
import { platformErrors } from '../errors.js';
import type { Kernel } from '../../kernel/kernel.js';
import type { Engines } from '../engines.js';
import type { PlatformAccess } from './platform-access.js';
import { asRequested } from './question.js';

type Query = Readonly<Record<string, string>>;

export interface AllowedSubjectsParts {
  readonly access: PlatformAccess;
  readonly kernel: Pick<Kernel, 'registrations'>;
  readonly engines: Pick<Engines, 'all'>;
}

/** Answers which subjects may do something; the caller sees only bindings that it may list. @throws TAP_QUERY_INVALID */
export async function findAllowedSubjects(
  { access, kernel, engines }: AllowedSubjectsParts,
  query: Query,
  caller: Caller | undefined,
): Promise<HttpAnswer> {
  const { verb = '', resource = '', group = '', subresource, namespace, name, path, engine = platformEngine } = query;
  if (caller === undefined || verb === '' || (resource === '') === (path === undefined || path === '')) {
    throw platformErrors.TAP_QUERY_INVALID({ message: 'who-can: expected a verb, and either a resource or a path' });
  }
  const about =
    path !== undefined && path !== ''
      ? { path }
      : { resource: { group, version: '', plural: resource, ...given({ subresource, namespace, name }) } };
  const question = {
    ...asRequested({ engine, verb, ...about }, { kernel, engine: (each) => engines.all.get(each) }),
    isReview: true as const,
  };
  const known = await subjectsFor({ access, authorizers: access.authorizers, engine }, caller, question);
  return { status: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify(known) };
}

function given<K extends string>(values: Readonly<Record<K, string | undefined>>): { readonly [P in K]?: string } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined && value !== '')) as { [P in K]?: string };
}
