/** Verbs that only read: `Action::"read"` includes all of these, `Action::"write"` all others. */
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

/** Verbs in roles that extend other rights of the caller to more objects; they are not operations, so they are in neither group. */
const wideningVerbs = ['administer', 'oversee'];

const actions = (verbs: readonly string[], group?: string): string =>
  `action ${verbs.map((verb) => `"${verb}"`).join(', ')}${group === undefined ? '' : ` in ["${group}"]`} appliesTo { principal: [User], resource: [Object, Path], context: Request };`;

/** The Cedar schema that policies are validated against when they are written. */
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

/** The action groups that contain a verb; unknown verbs count as writes. */
export function groupsOf(verb: string): readonly ('read' | 'write')[] {
  if (wideningVerbs.includes(verb)) return [];
  return readVerbs.includes(verb) ? ['read'] : ['write'];
}
