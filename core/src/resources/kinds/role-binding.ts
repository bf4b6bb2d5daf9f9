import type { AnyKind, Denial, KindBehaviour } from '@tappaas/sdk';
import { equalJson, memberOf, type JsonObject } from '../schema/json-value.js';

const groupOfRoles = 'rbac.authorization.k8s.io';

/** The role of a binding is immutable: permission to change its subjects must not allow granting another role. */
export const roleBindingBehaviour: KindBehaviour<AnyKind> = {
  default(draft: { roleRef?: { apiGroup?: string }; subjects?: { kind?: string; apiGroup?: string }[] }) {
    if (draft.roleRef && (draft.roleRef.apiGroup === undefined || draft.roleRef.apiGroup === '')) draft.roleRef.apiGroup = groupOfRoles;
    for (const subject of draft.subjects ?? []) {
      if (subject.kind === 'ServiceAccount' || (subject.apiGroup !== undefined && subject.apiGroup !== '')) continue;
      subject.apiGroup = groupOfRoles;
    }
  },
  check(object: JsonObject, previous?: JsonObject) {
    return [...roleDenials(object, previous), ...subjectDenials(object)];
  },
};

function roleDenials(object: JsonObject, previous: JsonObject | undefined): readonly Denial[] {
  const deny = (field: string, reason: string, message: string): readonly Denial[] => [{ field, reason, message }];
  if (previous !== undefined && !equalJson(previous['roleRef'], object['roleRef'])) {
    return deny('roleRef', 'FieldValueInvalid', 'cannot change roleRef; delete the binding and create another');
  }
  const kind = memberOf(object['roleRef'], 'kind');
  const allowed = object['kind'] === 'ClusterRoleBinding' ? ['ClusterRole'] : ['Role', 'ClusterRole'];
  if (allowed.includes(String(kind))) return [];
  return deny('roleRef.kind', 'FieldValueNotSupported', `expected ${allowed.join(' or ')}, found ${JSON.stringify(kind)}`);
}

function subjectDenials(object: JsonObject): readonly Denial[] {
  const subjects = Array.isArray(object['subjects']) ? (object['subjects'] as readonly JsonObject[]) : [];
  return subjects.flatMap((subject, index): readonly Denial[] => {
    if (!['User', 'Group', 'ServiceAccount'].includes(String(subject['kind']))) {
      return [{ field: `subjects[${index}].kind`, reason: 'FieldValueNotSupported', message: 'expected User, Group or ServiceAccount' }];
    }
    if (subject['kind'] !== 'ServiceAccount' || typeof subject['namespace'] === 'string') return [];
    return [{ field: `subjects[${index}].namespace`, reason: 'FieldValueRequired', message: 'a service account has a namespace' }];
  });
}
