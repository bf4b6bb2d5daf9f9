import { definePlugin, families, secretErrors, Type, type SecretBundle, type SecretRef, type SecretStore } from '@tappaas/sdk';

type Values = SecretBundle['values'];

const pathForm = /^[A-Za-z0-9_-][A-Za-z0-9._-]*(?:\/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$/;
const pathCharactersMax = 512;
const secretsMax = 10_000;

const config = Type.Object({
  secrets: Type.Record(Type.String(), Type.Record(Type.String(), Type.String()), {
    default: {},
    description: 'What is there at the start: texts by path and name.',
  }),
});

/** An in-memory secret store that loses everything when it stops. */
export const fakeSecretStore = definePlugin({
  id: 'fake-secret-store',
  config,
  example: { secrets: { 'shop/database': { password: 'example' } } },
  setup(host, { secrets }) {
    host.provide(families.secretStore, () => new FakeSecretStore(secrets));
  },
});

class FakeSecretStore implements SecretStore {
  readonly #secrets = new Map<string, { readonly values: Values; readonly count: number }>();

  constructor(secrets: Readonly<Record<string, Readonly<Record<string, string>>>>) {
    for (const [path, texts] of Object.entries(secrets)) {
      const values = Object.entries(texts).map(([name, text]) => [name, new TextEncoder().encode(text)]);
      this.#secrets.set(path, { values: Object.fromEntries(values) as Values, count: 1 });
    }
  }

  async resolve({ path, version: requested }: SecretRef): Promise<SecretBundle> {
    const { values, count } = this.#find(path);
    const version = `v${count}`;
    if (requested === undefined || requested === version) return { values: structuredClone(values), version };
    throw secretErrors.TAP_SECRET_NOT_FOUND({ message: `secret ${path} has no version ${requested}` });
  }

  async version(ref: SecretRef): Promise<string> {
    return (await this.resolve(ref)).version;
  }

  async write({ path }: SecretRef, values: Values, expectedVersion: string | undefined): Promise<string> {
    checkPath(path);
    const known = this.#secrets.get(path);
    const version = known && `v${known.count}`;
    if (version !== expectedVersion) {
      throw secretErrors.TAP_SECRET_CONFLICT({
        message: `secret ${path}: expected version ${expectedVersion ?? 'none'}, found ${version ?? 'none'}`,
      });
    }
    if (known === undefined && this.#secrets.size >= secretsMax) {
      throw secretErrors.TAP_SECRET_FORBIDDEN({ message: `this fake holds ${secretsMax} secrets already` });
    }
    const count = (known?.count ?? 0) + 1;
    this.#secrets.set(path, { values: structuredClone(values), count });
    return `v${count}`;
  }

  /** Creates a new version with the same values, since a fake has no backend to change them in. */
  async rotate({ path }: SecretRef): Promise<string> {
    const { values, count } = this.#find(path);
    this.#secrets.set(path, { values, count: count + 1 });
    return `v${count + 1}`;
  }

  #find(path: string): { readonly values: Values; readonly count: number } {
    const found = this.#secrets.get(path);
    if (found) return found;
    throw secretErrors.TAP_SECRET_NOT_FOUND({ message: `there is no secret ${JSON.stringify(path.slice(0, 64))}` });
  }
}

function checkPath(path: string): void {
  if (path.length <= pathCharactersMax && pathForm.test(path)) return;
  throw secretErrors.TAP_SECRET_FORBIDDEN({ message: `${JSON.stringify(path.slice(0, 64))} cannot be a path` });
}
