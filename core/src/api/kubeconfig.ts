import { parse, stringify } from 'yaml';
import { apiErrors } from './errors.js';
import { readPrivateFile, writePrivateFile } from './certificates/private-file.js';

/** The data for a kubeconfig. */
export interface KubeconfigOptions {
  readonly path: string;
  /** URL of the API's listener. */
  readonly server: string;
  /** PEM of the authority; absent when the listener speaks plain http. */
  readonly authority?: string;
  /** Names of the further engines; each gets a context with its name. */
  readonly engines: readonly string[];
  /** Only when a new token was created; otherwise the file keeps its own. */
  readonly token?: string;
}

interface Named {
  readonly name: string;
  readonly [part: string]: unknown;
}

const platform = 'tappaas';

/**
 * Writes the contexts `tappaas` and one per further engine to a file that only its owner can read. Foreign entries, credentials and the
 * current context are preserved.
 *
 * @throws TAP_KUBECONFIG_UNREADABLE, TAP_FILE_EXPOSED
 */
export async function writeKubeconfig({ path, server, authority, engines, token }: KubeconfigOptions): Promise<void> {
  const known = await readKubeconfig(path);
  const trust = authority === undefined ? {} : { 'certificate-authority-data': Buffer.from(authority).toString('base64') };
  const clusterOf = (name: string, url: string): Named => ({ name, cluster: { server: url, ...trust } });
  const contextOf = (name: string, cluster: string): Named => ({ name, context: { cluster, user: platform, namespace: 'default' } });
  const user = token === undefined ? [] : [{ name: platform, user: { token } }];
  const config = {
    ...known,
    apiVersion: 'v1',
    kind: 'Config',
    clusters: merged(known['clusters'], [
      clusterOf(platform, server),
      ...engines.map((name) => clusterOf(`${platform}-${name}`, `${server}/clusters/${name}`)),
    ]),
    contexts: merged(known['contexts'], [contextOf(platform, platform), ...engines.map((name) => contextOf(name, `${platform}-${name}`))]),
    users: merged(known['users'], user),
    'current-context': known['current-context'] ?? platform,
  };
  const text = stringify(config);
  if (text !== stringify(known)) await writePrivateFile(path, text);
}

async function readKubeconfig(path: string): Promise<Readonly<Record<string, unknown>>> {
  const text = await readPrivateFile(path);
  if (text === undefined || text.trim() === '') return {};
  try {
    const value: unknown = parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Readonly<Record<string, unknown>>;
  } catch (cause) {
    throw apiErrors.TAP_KUBECONFIG_UNREADABLE({ message: `${path} is not YAML`, cause });
  }
  throw apiErrors.TAP_KUBECONFIG_UNREADABLE({ message: `${path} is not a kubeconfig` });
}

/** Replaces entries of the same name in place and appends the rest; foreign entries are kept. */
function merged(known: unknown, ours: readonly Named[]): readonly Named[] {
  const entries = Array.isArray(known) ? (known as readonly Named[]) : [];
  const named = new Map(ours.map((entry) => [entry.name, entry]));
  const kept = entries.map((entry) => named.get(entry.name) ?? entry);
  const present = new Set(kept.map(({ name }) => name));
  return [...kept, ...ours.filter(({ name }) => !present.has(name))];
}
