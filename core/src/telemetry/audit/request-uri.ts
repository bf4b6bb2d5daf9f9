const secretNames = /(?:token|secret|passw|password|credential|authorization|api[-_]?key|signature|code|state|assertion)/i;
const charsMax = 4096;

/** Path and query as audit keeps them: values under names that sound like credentials are left out, the rest stays as it was sent. */
export function requestUri(path: string, query: string): string {
  const uri = query === '' ? path : `${path}?${query.split('&').map(withoutSecret).join('&')}`;
  return uri.length > charsMax ? `${uri.slice(0, charsMax)}…` : uri;
}

function withoutSecret(pair: string): string {
  const end = pair.indexOf('=');
  if (end < 0 || !secretNames.test(decoded(pair.slice(0, end)))) return pair;
  return `${pair.slice(0, end)}=[redacted]`;
}

/** What cannot be decoded counts as secret. */
function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return 'secret';
  }
}
