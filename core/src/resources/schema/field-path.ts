/** Path of a member that a schema names: `spec.replicas`. */
export function fieldPath(parent: string, name: string): string {
  return parent === '' ? name : `${parent}.${name}`;
}

/** Path of an entry of a map whose keys are data: `metadata.labels[app.example.com/tier]`. */
export function entryPath(parent: string, key: string): string {
  return `${parent}[${key}]`;
}

/** Path of an item of a list: `spec.containers[0]`. */
export function itemPath(parent: string, index: number): string {
  return `${parent}[${index}]`;
}
