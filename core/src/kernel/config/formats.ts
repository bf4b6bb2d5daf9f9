import { isIP, isIPv4, isIPv6 } from 'node:net';

const checks: Readonly<Record<string, (text: string) => boolean>> = {
  uri: (text) => URL.canParse(text) && /^[a-z][a-z0-9+.-]*:/i.test(text),
  'date-time': (text) => /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/.test(text) && !Number.isNaN(Date.parse(text)),
  date: (text) => /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text)),
  email: (text) => /^[^\s@]+@[^\s@]+$/.test(text),
  hostname: (text) => text.length <= 253 && /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/i.test(text),
  ip: (text) => isIP(text) !== 0,
  ipv4: (text) => isIPv4(text),
  ipv6: (text) => isIPv6(text),
  uuid: (text) => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text),
};

/** The formats that a configuration schema may use. */
export const knownFormats: ReadonlySet<string> = new Set(Object.keys(checks));

export function hasFormat(text: string, format: string): boolean {
  return checks[format]?.(text) ?? true;
}
