const group = '/apis/apps.tappaas.dev/v1alpha1';

/** Path of a namespace's applications, or of one. */
export function applicationPath(namespace: string, name?: string): string {
  return kindPath('applications', namespace, name);
}

/** Path of a kind of the application group. */
export function kindPath(plural: string, namespace: string, name?: string): string {
  const path = `${group}/namespaces/${encodeURIComponent(namespace)}/${plural}`;
  return name === undefined ? path : `${path}/${encodeURIComponent(name)}`;
}

const operationGroup = '/apis/ops.tappaas.dev/v1alpha1';

/** Path of a namespace's operations, or of one. */
export function operationPath(namespace: string, name?: string): string {
  const path = `${operationGroup}/namespaces/${encodeURIComponent(namespace)}/operations`;
  return name === undefined ? path : `${path}/${encodeURIComponent(name)}`;
}

/** Path of all namespaces' operations. */
export const allOperationsPath = `${operationGroup}/operations`;

/** Path of a namespace's events, or of all namespaces'. */
export function eventPath(namespace: string | undefined): string {
  return namespace === undefined ? '/api/v1/events' : `/api/v1/namespaces/${encodeURIComponent(namespace)}/events`;
}

/** Path of all namespaces' applications. */
export const allApplicationsPath = `${group}/applications`;
