/** Questions about paths that are not about objects. */
import type { Question } from './objects.ts';
import { absent, type AccessWorld } from './world.ts';

/** Requests for patterns and for paths with methods other than GET; all other paths, except routes of plugins, are requested with GET. */
const samples: Readonly<Record<string, readonly string[]>> = {
  [String(/^\/apis?\/./)]: [],
  [String(/^\/plugins\/./)]: [],
  [String(/^\/apis?$/)]: ['GET /api', 'GET /apis'],
  [String(/^\/apis?\/.+[^/]$/)]: ['GET /api/v1', 'GET /apis/apps.tappaas.dev', 'GET /apis/apps.tappaas.dev/v1alpha1'],
  [String(/^\/openapi\/v3\/.+[^/]$/)]: ['GET /openapi/v3/api/v1'],
  '/graphql': ['GET /graphql', 'POST /graphql'],
};
const cluster = '/clusters/local';

function samplesOf(text: string): readonly string[] {
  if (/^(GET|POST|PUT|DELETE) /.test(text)) return [text.replaceAll(/:\w+/g, absent)];
  return samples[text] ?? [text.startsWith('/^') ? `a pattern that samples does not know: ${text}` : `GET ${text}`];
}

/** Those of the platform, and the same below a cluster, which has no plugins' routes. */
export function pathQuestions({ platform }: AccessWorld): readonly Question[] {
  const served = platform.paths().filter((text) => !/^(UPGRADE|ROOM) /.test(text));
  return served.flatMap(samplesOf).flatMap((text): readonly Question[] => {
    const [method = '', path = ''] = text.split(' ');
    const question = { what: `${text} path`, method, ...(method === 'POST' && { body: {} }) };
    const here: Question = { ...question, engine: 'platform', path };
    return path.startsWith('/plugins/') ? [here] : [here, { ...question, engine: 'cluster', path: cluster + path }];
  });
}
