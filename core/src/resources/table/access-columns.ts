import { ageColumn, column, listAt, nameColumn, textAt, type TableColumn } from './table-column.js';

const createdAtColumn = column('Created At', 'When the object was created.', (object) => textAt(object, 'metadata', 'creationTimestamp'));

/** Columns of kinds of which only the age is worth showing. */
export const createdColumns: readonly TableColumn[] = [nameColumn, createdAtColumn];

const subjects = (object: unknown, kind: string): string =>
  listAt(object, ['subjects'])
    .filter((subject) => textAt(subject, 'kind') === kind)
    .map((subject) => (kind === 'ServiceAccount' ? `${textAt(subject, 'namespace')}/${textAt(subject, 'name')}` : textAt(subject, 'name')))
    .join(', ');

export const bindingColumns: readonly TableColumn[] = [
  nameColumn,
  column('Role', 'Role that is granted.', (object) => `${textAt(object, 'roleRef', 'kind')}/${textAt(object, 'roleRef', 'name')}`),
  ageColumn,
  column('Users', 'Users that it is granted to.', (object) => subjects(object, 'User'), { priority: 1 }),
  column('Groups', 'Groups that it is granted to.', (object) => subjects(object, 'Group'), { priority: 1 }),
  column('ServiceAccounts', 'Service accounts that it is granted to.', (object) => subjects(object, 'ServiceAccount'), { priority: 1 }),
];
