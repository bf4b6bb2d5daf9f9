/** Verbs that only look; `Action::"read"` stands for all of them, `Action::"write"` for the others. */
const readVerbs = ['get', 'list', 'watch', 'head'];
const writeVerbs = [
  'create',
  'update',
  'patch',
  'delete',
  'deletecollection',
  'post',
  'put',
  'options',
  'approve',
  'bind',
  'escalate',
  'impersonate',
  'sign',
  'use',
];

/** What roles say to let others of their rights hold for more; nothing is done by them, so they are in neither group. */
const wideningVerbs = ['administer', 'oversee'];

const actions = (verbs: readonly string[], group?: string): string =>
  `action ${verbs.map((verb) => `"${verb}"`).join(', ')}${group === undefined ? '' : ` in ["${group}"]`} appliesTo { principal: [User], resource: [Object, Path], context: Request };`;

/** What policies may speak about; they are checked against it when they are written. */
export const schema = `
type Request = { time: datetime, hour: Long, minute: Long, weekday: Long, address?: ipaddr, impersonator?: String };
entity User { name: String, groups: Set<String>, tenant?: String };
entity Object {
  engine: String, group: String, resource: String, subresource?: String,
  namespace?: String, project?: String, tenant?: String, name?: String
} tags String;
entity Path { path: String };
action "read", "write";
${actions(readVerbs, 'read')}
${actions(writeVerbs, 'write')}
${actions(wideningVerbs)}
`;

/** The groups of verbs that one belongs to; unknown ones change something. */
export function groupsOf(verb: string): readonly ('read' | 'write')[] {
  if (wideningVerbs.includes(verb)) return [];
  return readVerbs.includes(verb) ? ['read'] : ['write'];
}
