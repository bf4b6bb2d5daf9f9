/**
 * Host ports of a pod by container and declared port, such as `{"web/8080/TCP":20123}`; the node agent writes it before any container runs.
 */
export const hostPortsAnnotation = 'local.tappaas.dev/host-ports';

/** Loopback ports of a service by port name or number, such as `{"http":30080}`; written by the node agent. */
export const servicePortsAnnotation = 'local.tappaas.dev/ports';

/** Key of a declared port in a pod's host ports. */
export const hostPortKey = (container: string, port: { readonly containerPort: number; readonly protocol?: string | undefined }): string =>
  `${container}/${port.containerPort}/${port.protocol ?? 'TCP'}`;

/** Parses an annotation that maps names to port numbers; other values are left out. */
export function portsIn(text: string | undefined): Readonly<Record<string, number>> {
  if (text === undefined) return {};
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null) return {};
    return Object.fromEntries(Object.entries(value).filter((entry): entry is [string, number] => Number.isInteger(entry[1])));
  } catch {
    return {};
  }
}
