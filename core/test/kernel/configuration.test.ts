import { inspect } from 'node:util';
import type { Secret } from '@tappaas/sdk';
import { Type } from '@tappaas/sdk';
import test from 'ava';
import { checkConfiguration, configurationSchema, showConfiguration } from '../../dist/kernel/configuration-report.js';
import { requiredServices } from '../../dist/kernel/required-services.js';
import { formatProblem } from '../../dist/kernel/problem.js';
import type { ConfigurationError } from '../../dist/kernel/kernel.js';
import { auditSection, omittedStages, type AuditSettings } from '../../dist/telemetry/audit/audit-settings.js';
import { rejection } from './fixture.ts';
import { head, Workspace } from './workspace.ts';

const costGuard = `{
  id: 'cost-guard',
  config: Type.Object({
    monthlyBudgetEuro: Type.Number({ minimum: 0, description: 'Budget of one tenant, in euro.' }),
    currency: Type.Union([Type.Literal('euro'), Type.Literal('dollar')], { default: 'euro' }),
    apiKey: Type.Optional(secret({ description: 'Key of the price service.' })),
  }),
  example: { monthlyBudgetEuro: 200 },
  setup(host) { host.tap(hooks.admission.validate, { kinds: [Application] }, () => undefined); },
}`;

const setsGlobal = (id: string) => `{
  id: '${id}',
  config: Type.Object({ value: Type.Any(), more: Type.Object({ depth: Type.Integer({ default: 3 }) }, { default: {} }) }, {}),
  example: { value: 1 },
  setup(host, config) { globalThis['tappaas-test-${id}'] = config; },
}`;

test('every problem of every plugin is told at once, with place, code, expected and found, before any plugin code runs', async (t) => {
  const workspace = await Workspace.create(t);
  await workspace.install('@acme/tappaas-admission-cost-guard', costGuard);
  await workspace.install('@acme/other', `{ id: 'other', setup() {} }`);
  await workspace.write(
    'tappaas.yaml',
    `${head}port: 8080
order: { admission.validate: [cost-gard], admission.validat: [] }
plugins:
  cost-guard:
    use: "@acme/tappaas-admission-cost-guard"
    onBootFailure: carry-on
    config:
      monthlyBudgetEur: 200
      currency: eur
      apiKey: sk-live-1234
  Other: { use: "@acme/other", config: { anything: 1 }, limits: { admission.validate: { timeoutMs: 5 } } }
  gone: { use: "@acme/not-installed" }
  negative: { use: "@acme/tappaas-admission-cost-guard", config: { monthlyBudgetEuro: -1 } }
  empty: { use: "@acme/tappaas-admission-cost-guard" }
  plain: { use: "@tappaas/sdk" }
`,
  );
  const error = (await rejection(workspace.load())) as ConfigurationError;
  t.is(error.code, 'TAP_CONFIG_INVALID');
  t.is(error.exitCode, 78);
  t.is(
    error.message,
    `tappaas.yaml:3:1  TAP_CONFIG_UNKNOWN_KEY  port: unknown key; known keys: apiVersion, kind, extends, order, plugins
tappaas.yaml:4:31  TAP_CONFIG_ORDER_UNKNOWN  order.admission.validate[0]: there is no instance cost-gard; did you mean "cost-guard"?
tappaas.yaml:4:43  TAP_CONFIG_ORDER_UNKNOWN  order.admission.validat: there is no hook admission.validat; did you mean "admission.validate"?
tappaas.yaml:8:20  TAP_CONFIG_VALUE  plugins.cost-guard.onBootFailure: expected one of "stop", "continue", found "carry-on"
tappaas.yaml:10:7  TAP_CONFIG_UNKNOWN_KEY  plugins.cost-guard.config.monthlyBudgetEur: unknown key; did you mean "monthlyBudgetEuro"?
tappaas.yaml:11:17  TAP_CONFIG_VALUE  plugins.cost-guard.config.currency: expected one of "euro", "dollar", found "eur"; did you mean "euro"?
tappaas.yaml:12:15  TAP_CONFIG_SECRET_LITERAL  plugins.cost-guard.config.apiKey: a secret must not stand in the configuration; expected { env }, { file } or { store, path, key }
tappaas.yaml:13:3  TAP_CONFIG_INSTANCE_ID  plugins.Other: "Other" cannot be an instance id
tappaas.yaml:13:42  TAP_CONFIG_UNKNOWN_KEY  plugins.Other.config.anything: unknown key
tappaas.yaml:13:67  TAP_CONFIG_LIMIT_UNKNOWN  plugins.Other.limits.admission.validate: plugin other has no tap at admission.validate
tappaas.yaml:14:11  TAP_PACKAGE_NOT_FOUND  plugins.gone.use: package @acme/not-installed is not installed beside the configuration
tappaas.yaml:15:87  TAP_CONFIG_VALUE  plugins.negative.config.monthlyBudgetEuro: at least 0 expected, -1 found
tappaas.yaml:16:3  TAP_CONFIG_MISSING_KEY  plugins.empty.config.monthlyBudgetEuro: missing; expected a number (Budget of one tenant, in euro)
tappaas.yaml:17:12  TAP_PACKAGE_NOT_A_PLUGIN  plugins.plain.use: package @tappaas/sdk is no plugin: its package.json has no "tappaas.manifest"`,
  );
  t.true(error.problems.every(({ remedy }) => remedy !== undefined && remedy.endsWith('.')));
  t.false(error.message.includes('sk-live-1234'));
});

test('a wrong word about an instance hides neither its other problems nor makes what names it wrong', async (t) => {
  const workspace = await Workspace.create(t);
  await workspace.install('@acme/cost', costGuard);
  await workspace.write(
    'tappaas.yaml',
    `${head}order: { admission.validate: [cost, limited, nameless, gone] }
plugins:
  cost: { use: "@acme/cost", mode: shadw, config: { monthlyBudgetEuros: 2 } }
  limited: { use: "@acme/cost", limits: none, config: { monthlyBudgetEuro: -2 } }
  nameless: { use: 7 }
  gone: { use: "@acme/gone" }
`,
  );
  t.is(
    await workspace.refusal(),
    `tappaas.yaml:5:36  TAP_CONFIG_VALUE  plugins.cost.mode: expected one of "enforce", "shadow", "off", found "shadw"; did you mean "shadow"?
tappaas.yaml:5:53  TAP_CONFIG_UNKNOWN_KEY  plugins.cost.config.monthlyBudgetEuros: unknown key; did you mean "monthlyBudgetEuro"?
tappaas.yaml:6:41  TAP_CONFIG_TYPE  plugins.limited.limits: expected a map, found "none"
tappaas.yaml:6:76  TAP_CONFIG_VALUE  plugins.limited.config.monthlyBudgetEuro: at least 0 expected, -2 found
tappaas.yaml:7:20  TAP_CONFIG_TYPE  plugins.nameless.use: expected a string, found 7
tappaas.yaml:8:11  TAP_PACKAGE_NOT_FOUND  plugins.gone.use: package @acme/gone is not installed beside the configuration`,
  );
});

test('broken YAML is told with its place; so are duplicate keys, wrong documents and endless aliases', async (t) => {
  const workspace = await Workspace.create(t);
  const refusal = async (text: string): Promise<string> => {
    await workspace.write('tappaas.yaml', text);
    return workspace.refusal();
  };
  const unclosed = `${head}plugins:\n  a: { use: x, config: { b: 1 }\n  c: { use: y }\n  d: { use: [z }\n`;
  t.is(await refusal(unclosed), 'tappaas.yaml:5:3  TAP_CONFIG_SYNTAX  expected "}": the bracket opened before is not closed');
  t.is(await refusal('a: [1\nb: 2\n'), 'tappaas.yaml:2:1  TAP_CONFIG_SYNTAX  expected "]": the bracket opened before is not closed');
  t.is(await refusal('a: "x\nb: 2\n'), 'tappaas.yaml:3:1  TAP_CONFIG_SYNTAX  a quote opened before is not closed');
  t.is(await refusal('a:\n\tb: 2\n'), 'tappaas.yaml:2:1  TAP_CONFIG_SYNTAX  a tab cannot indent; use spaces');
  t.is(await refusal(`${head}plugins: {}\nplugins: {}\n`), 'tappaas.yaml:4:1  TAP_CONFIG_SYNTAX  the key stands in the map before');
  t.is(await refusal(''), 'tappaas.yaml:1:1  TAP_CONFIG_TYPE  expected a map, found null');
  t.is(await refusal('- 1\n'), 'tappaas.yaml:1:1  TAP_CONFIG_TYPE  expected a map, found a list');
  t.regex(
    await refusal('apiVersion: v2\nkind: Platfrom\nplugins: {}\n'),
    /apiVersion: expected "tappaas.dev\/v1alpha1", found "v2"\n.*kind: expected "Platform", found "Platfrom"; did you mean/,
  );
  t.regex(await refusal(`${head}plugins: {}\n---\na: 1\n`), /TAP_CONFIG_SYNTAX/);
  t.regex(await refusal(`${head}plugins: { __proto__: { use: x } }\n`), /3:12 {2}TAP_CONFIG_SYNTAX {2}a key is not plain text/);
  t.regex(await refusal(`${head}plugins: { ? [a] : 1 }\n`), /a key is not plain text/);
  const bomb = ['a: &a [x, x, x, x, x, x, x, x, x, x]'];
  for (let n = 0; n < 12; n += 1)
    bomb.push(
      `${'bcdefghijklm'[n] ?? ''}: &${'bcdefghijklm'[n] ?? ''} [${Array(10)
        .fill(`*${'abcdefghijkl'[n] ?? ''}`)
        .join(', ')}]`,
    );
  t.regex(await refusal(bomb.join('\n')), /more than 100000 values once aliases are followed/);
  t.regex(await refusal('&a [*a]'), /TAP_CONFIG_SYNTAX/);
  t.regex(await refusal(`a: ${'['.repeat(100)}${']'.repeat(100)}`), /nested deeper than 64 levels/);
  t.regex(
    await workspace.refusal({ configFile: workspace.file('nowhere.yaml') }),
    /^nowhere\.yaml:1:1 {2}TAP_CONFIG_UNREADABLE {2}the file cannot be read \(ENOENT\)$/,
  );
});

test('what a file names and nobody has is told where it is named: a file that it extends, the directory of a plugin', async (t) => {
  const workspace = await Workspace.create(t);
  await workspace.write('tappaas.yaml', `${head}extends: ./base/nope.yaml\nplugins: {}\n`);
  t.is(
    await workspace.refusal(),
    'tappaas.yaml:3:10  TAP_CONFIG_EXTENDS_UNREADABLE  extends: the file base/nope.yaml cannot be read (ENOENT)',
  );
  await workspace.write('tappaas.yaml', `${head}plugins:\n  a: { use: ./nowhere }\n`);
  t.is(
    await workspace.refusal(),
    'tappaas.yaml:4:8  TAP_PACKAGE_NOT_FOUND  plugins.a.use: directory ./nowhere has no package.json, or one that is not JSON',
  );
});

test('an extending file is merged over its base: null removes, a changed "use" empties the config, places stay true', async (t) => {
  const workspace = await Workspace.create(t);
  await workspace.install('@acme/one', setsGlobal('one'));
  await workspace.install('@acme/two', setsGlobal('two'));
  await workspace.write(
    'base/base.yaml',
    `${head}plugins:\n  a: { use: "@acme/one", config: { value: 1, more: { depth: 9 } } }\n  b: { use: "@acme/one", config: { value: 2 } }\n  c: { use: "@acme/one", config: { value: 3, more: { depth: 8 } } }\n`,
  );
  await workspace.write(
    'tappaas.yaml',
    `extends: ./base/base.yaml\nplugins:\n  a: { config: { value: changed } }\n  b: null\n  c: { use: "@acme/two", config: { value: 4 } }\n`,
  );
  const kernel = await workspace.load();
  t.deepEqual(
    kernel.plugins().map(({ id, plugin }) => `${id} ${plugin}`),
    ['a one', 'c two'],
  );
  const set = globalThis as unknown as Record<string, unknown>;
  t.deepEqual(set['tappaas-test-one'], { value: 'changed', more: { depth: 9 } });
  t.deepEqual(set['tappaas-test-two'], { value: 4, more: { depth: 3 } });
  t.true(Object.isFrozen((set['tappaas-test-two'] as { more: object }).more));
  const { values } = await showConfiguration({ configFile: workspace.file('tappaas.yaml') });
  t.deepEqual(
    values
      .filter(({ path }) => path.includes('config'))
      .map(({ path, value, origin }) => `${path}=${JSON.stringify(value)} ${origin?.file}:${origin?.line}:${origin?.column}`),
    [
      'plugins.a.config.value="changed" tappaas.yaml:3:25',
      'plugins.a.config.more.depth=9 base/base.yaml:4:61',
      'plugins.c.config.value=4 tappaas.yaml:5:43',
    ],
  );
  await workspace.write('base/base.yaml', `${head}plugins:\n  a: { use: "@acme/one", config: { wrong: 1 } }\n`);
  await workspace.write('tappaas.yaml', 'extends: ./base/base.yaml\n');
  t.is(
    await workspace.refusal(),
    'base/base.yaml:4:34  TAP_CONFIG_MISSING_KEY  plugins.a.config.value: missing; expected a value\nbase/base.yaml:4:36  TAP_CONFIG_UNKNOWN_KEY  plugins.a.config.wrong: unknown key; known keys: value, more',
  );
});

test('an unknown hook is told the one that was meant, or those of its family, and never one that only begins alike', async (t) => {
  const workspace = await Workspace.create(t);
  await workspace.write('tappaas.yaml', `${head}order: { admission.nix: [], admission.mutat: [], nothing.nix: [] }\nplugins: {}\n`);
  t.is(
    (await workspace.refusal()).replaceAll(/.*TAP_CONFIG_ORDER_UNKNOWN {2}/g, ''),
    `order.admission.nix: there is no hook admission.nix; there are admission.claim, admission.mutate, admission.validate
order.admission.mutat: there is no hook admission.mutat; did you mean "admission.mutate"?
order.nothing.nix: there is no hook nothing.nix`,
  );
});

test('files that extend each other are refused with their path', async (t) => {
  const workspace = await Workspace.create(t);
  await workspace.write('tappaas.yaml', 'extends: ./a.yaml\n');
  await workspace.write('a.yaml', 'extends: ./b.yaml\n');
  await workspace.write('b.yaml', 'extends: ./a.yaml\n');
  t.is(await workspace.refusal(), 'b.yaml:1:1  TAP_CONFIG_EXTENDS_CYCLE  extends: the files extend each other: a.yaml → b.yaml → a.yaml');
  await workspace.write('tappaas.yaml', 'extends: ./tappaas.yaml\n');
  t.regex(await workspace.refusal(), /tappaas.yaml → tappaas.yaml/);
});

test('a sink that requests wait for and that may be left out is refused: what was left out would count as recorded', async (t) => {
  const workspace = await Workspace.create(t);
  const sections = { audit: auditSection };
  const configured = (sink: string) => workspace.write('tappaas.yaml', `${head}plugins: {}\naudit: { sinks: { kept: ${sink} } }\n`);
  await configured('{ mode: blocking, onOverflow: drop }');
  t.is(
    await workspace.refusal({ sections }),
    'tappaas.yaml:4:55  TAP_CONFIG_VALUE  audit.sinks.kept.onOverflow: "drop" does not go with mode: "blocking"',
  );
  for (const sink of ['{ mode: blocking }', '{ onOverflow: drop }', '{ mode: blocking, onOverflow: refuse }']) {
    await configured(sink);
    await t.notThrowsAsync(workspace.load({ sections }), sink);
  }
});

test('a sink that requests wait for makes their first line one that is recorded, unless the configuration says otherwise', async (t) => {
  const workspace = await Workspace.create(t);
  const omitted = async (audit: string) => {
    await workspace.write('tappaas.yaml', `${head}plugins: {}\naudit: ${audit}\n`);
    return omittedStages((await workspace.load({ sections: { audit: auditSection } })).config.section('audit') as AuditSettings);
  };
  t.deepEqual(await omitted('{ sinks: { kept: { mode: blocking } } }'), []);
  t.deepEqual(await omitted('{ sinks: { kept: { mode: blocking } }, omitStages: [RequestReceived] }'), ['RequestReceived']);
  t.deepEqual(await omitted('{ sinks: { kept: {} } }'), ['RequestReceived']);
  t.deepEqual(await omitted('{}'), ['RequestReceived']);
});

test('sections of the composition root are checked and filled in, also when they are left out', async (t) => {
  const workspace = await Workspace.create(t);
  const api = Type.Object({ port: Type.Integer({ default: 7443, maximum: 65_535 }), host: Type.String({ default: '127.0.0.1' }) });
  await workspace.write('tappaas.yaml', `${head}plugins: {}\n`);
  t.deepEqual((await workspace.load({ sections: { api } })).config.section('api'), { port: 7443, host: '127.0.0.1' });
  await workspace.write('tappaas.yaml', `${head}api: { port: 70000, hots: x }\nplugins: {}\n`);
  t.is(
    await workspace.refusal({ sections: { api } }),
    'tappaas.yaml:3:14  TAP_CONFIG_VALUE  api.port: at most 65535 expected, 70000 found\ntappaas.yaml:3:21  TAP_CONFIG_UNKNOWN_KEY  api.hots: unknown key; did you mean "host"?',
  );
});

test('a secret is read anew at every use, prints as [secret] everywhere, and names its source when it cannot be read', async (t) => {
  const workspace = await Workspace.create(t);
  await workspace.install(
    '@acme/reader',
    `{
    id: 'reader',
    config: Type.Object({ fromEnv: secret({ description: 'a' }), fromFile: secret({ description: 'b' }) }),
    example: { fromEnv: { env: 'X' }, fromFile: { file: 'y' } },
    setup(host, config) { globalThis['tappaas-test-secrets'] = config; },
  }`,
  );
  await workspace.write(
    'tappaas.yaml',
    `${head}plugins:\n  reader: { use: "@acme/reader", config: { fromEnv: { env: TOKEN }, fromFile: { file: ./key } } }\n`,
  );
  await workspace.write('key', 'first\n');
  const env: Record<string, string | undefined> = { TOKEN: 'hunter2' };
  await workspace.load({ env });
  const { fromEnv, fromFile } =
    (globalThis as unknown as Record<string, { fromEnv: Secret; fromFile: Secret }>)['tappaas-test-secrets'] ?? {};
  if (!fromEnv || !fromFile) throw new Error('setup did not run');
  t.is(fromEnv.text(), 'hunter2');
  t.is(fromFile.text(), 'first');
  await workspace.write('key', 'second');
  t.is(fromFile.text(), 'second');
  t.is(
    `${String(fromEnv)} ${JSON.stringify({ fromEnv })} ${inspect({ fromEnv })}`,
    '[secret] {"fromEnv":"[secret]"} { fromEnv: [secret] }',
  );
  env['TOKEN'] = undefined;
  t.throws(() => fromEnv.text(), { code: 'TAP_SECRET_UNREADABLE', message: 'environment variable TOKEN is not set' });
  const showing = await showConfiguration({ configFile: workspace.file('tappaas.yaml') });
  t.false(JSON.stringify(showing).includes('hunter2'));
});

test('secret sources of other forms are refused, and so is a store that is none', async (t) => {
  const workspace = await Workspace.create(t);
  await workspace.install(
    '@acme/reader',
    `{ id: 'reader', config: Type.Object({ key: secret({ description: 'a' }) }), example: { key: { env: 'X' } }, setup() {} }`,
  );
  await workspace.install('@acme/vault', `{ id: 'vault', setup(host) { host.provide(families.secretStore, () => ({})); } }`);
  const refusal = async (source: string): Promise<string> => {
    await workspace.write(
      'tappaas.yaml',
      `${head}plugins:\n  vault: { use: "@acme/vault" }\n  reader: { use: "@acme/reader", config: { key: ${source} } }\n`,
    );
    return workspace.refusal();
  };
  t.regex(
    await refusal('{ env: A, file: b }'),
    /TAP_CONFIG_TYPE {2}plugins\.reader\.config\.key: expected \{ env \}, .* found the keys env file/,
  );
  t.regex(await refusal('{}'), /found the keys \(none\)/);
  t.regex(await refusal('{ env: "" }'), /TAP_CONFIG_TYPE/);
  t.regex(await refusal('[a]'), /TAP_CONFIG_SECRET_LITERAL/);
  t.is(
    await refusal('{ store: valt, path: a, key: b }'),
    'tappaas.yaml:5:49  TAP_CONFIG_SECRET_STORE  plugins.reader.config.key: "valt" is no secret store; did you mean "vault"?',
  );
  t.regex(await refusal('{ store: reader, path: a, key: b }'), /"reader" is no secret store/);
});

test('check tells the order of taps and notes, without running any code', async (t) => {
  const workspace = await Workspace.create(t);
  const tapping = (id: string, after: string) =>
    `{ id: '${id}', setup(host) { host.tap(hooks.admission.validate, { kinds: [Application], after: ['${after}'] }, () => undefined); } }`;
  await workspace.install('@acme/a', tapping('a', 'b'));
  await workspace.install('@acme/b', tapping('b', 'absent'));
  await workspace.write('node_modules/@acme/a/dist/index.js', 'throw new Error("code ran");\n');
  await workspace.write('tappaas.yaml', `${head}plugins:\n  a: { use: "@acme/a" }\n  b: { use: "@acme/b" }\n`);
  const report = await checkConfiguration(workspace.options());
  t.deepEqual(report.order, { 'admission.validate': ['b', 'a'] });
  t.deepEqual(
    report.problems.map(({ severity, code, message }) => `${severity} ${code} ${message}`),
    ['note TAP_ORDER_IGNORED its wish about plugin absent at admission.validate has no effect'],
  );
  t.deepEqual(
    report.instances.map(({ id }) => id),
    ['a', 'b'],
  );
  const error = await rejection(workspace.load());
  t.regex(error.message, /the code of package @acme\/a cannot be loaded: code ran/);
});

test('check notes which secrets cannot be read where it runs, and never what those that can are', async (t) => {
  const workspace = await Workspace.create(t);
  await workspace.install('@acme/cost-guard', costGuard);
  const noted = async (apiKey: string, env = {}) => {
    const config = `{ monthlyBudgetEuro: 1, apiKey: ${apiKey} }`;
    await workspace.write('tappaas.yaml', `${head}plugins:\n  a:\n    use: "@acme/cost-guard"\n    config: ${config}\n`);
    const { problems } = await checkConfiguration(workspace.options({ env }));
    return problems.map((problem) => `${problem.severity} ${formatProblem(problem)}`);
  };
  const place = 'note tappaas.yaml:6:37  TAP_SECRET_UNREADABLE  plugins.a.config.apiKey:';
  t.deepEqual(await noted('{ file: ./nix }'), [`${place} file ./nix cannot be read (ENOENT)`]);
  t.deepEqual(await noted('{ env: NO_KEY }'), [`${place} environment variable NO_KEY is not set`]);
  await workspace.write('key', 'canary');
  t.deepEqual(await noted('{ file: ./key }'), []);
  t.deepEqual(await noted('{ env: KEY }', { KEY: 'canary' }), []);
});

test('the schema for editors knows the configuration of every plugin that is used', async (t) => {
  const workspace = await Workspace.create(t);
  await workspace.install('@acme/cost', costGuard);
  await workspace.write('tappaas.yaml', `${head}plugins: { cost: { use: "@acme/cost", config: { monthlyBudgetEuro: 1 } } }\n`);
  const schema = JSON.stringify(await configurationSchema(workspace.options()));
  t.true(schema.includes('"const":"@acme/cost"'));
  t.true(schema.includes('Budget of one tenant, in euro.'));
});

test('what a plugin asks of an operator is refused where it makes no sense: boot failure, shadow, order', async (t) => {
  const workspace = await Workspace.create(t);
  await workspace.install(
    '@acme/render',
    `{ id: 'render', setup(host) { host.tap(hooks.reconcile.render, { kinds: [Application], phase: 'network' }, ({ set }) => set); } }`,
  );
  await workspace.install(
    '@acme/service',
    `{ id: 'service', setup(host) { host.provide(families.runtime, () => ({})); host.tap(hooks.scheduling.bind, {}, () => undefined); } }`,
  );
  await workspace.write(
    'tappaas.yaml',
    `${head}order: { scheduling.bind: [r] }\nplugins:\n  r: { use: "@acme/render", onBootFailure: continue }\n  s: { use: "@acme/service", mode: shadow }\n`,
  );
  t.is(
    await workspace.refusal(),
    `tappaas.yaml:3:28  TAP_CONFIG_ORDER_UNKNOWN  order.scheduling.bind[0]: plugin r has no tap at scheduling.bind
tappaas.yaml:5:29  TAP_CONFIG_BOOT_FAILURE  plugins.r.onBootFailure: continue is refused for a plugin that taps reconcile.render: objects would be rendered without it
tappaas.yaml:6:30  TAP_CONFIG_MODE  plugins.s.mode: shadow cannot hold back its tap at scheduling.bind, service tappaas/runtime`,
  );
});

test('a configuration without a store that runs is refused, and told where: none, turned off, or one that may fail', async (t) => {
  const workspace = await Workspace.create(t);
  await workspace.install('@acme/store', `{ id: 'acme-store', setup(host) { host.provide(families.store, () => ({})); } }`);
  const refusal = async (plugins: string) => {
    await workspace.write('tappaas.yaml', `${head}plugins: ${plugins}\n`);
    return workspace.refusal({ requires: requiredServices });
  };
  t.is(
    await refusal('{}'),
    'tappaas.yaml:3:1  TAP_GRAPH_UNMET  plugins: the platform needs service tappaas/store, which no plugin provides',
  );
  t.is(
    await refusal('{ store: { use: "@acme/store", mode: off } }'),
    'tappaas.yaml:3:41  TAP_GRAPH_UNMET  plugins.store.mode: the platform needs service tappaas/store, and plugin store, which provides it, is turned off',
  );
  t.is(
    await refusal('{ store: { use: "@acme/store", onBootFailure: continue } }'),
    'tappaas.yaml:3:41  TAP_CONFIG_BOOT_FAILURE  plugins.store.onBootFailure: continue is refused for the store: the platform cannot start without it',
  );
  t.regex(await refusal('{ store: { use: "@acme/stor" } }'), /^\S+  TAP_PACKAGE_NOT_FOUND [^\n]*$/);
  await workspace.write('tappaas.yaml', `${head}plugins: { store: { use: "@acme/store" } }\n`);
  t.deepEqual((await checkConfiguration(workspace.options({ requires: requiredServices }))).problems, []);
});

test('an instance that is off is neither loaded nor asked, and orders may still name it', async (t) => {
  const workspace = await Workspace.create(t);
  await workspace.install(
    '@acme/a',
    `{ id: 'a', setup(host) { host.tap(hooks.admission.validate, { kinds: [Application] }, () => undefined); } }`,
  );
  await workspace.write('node_modules/@acme/a/dist/index.js', 'throw new Error("code ran");\n');
  await workspace.write(
    'tappaas.yaml',
    `${head}order: { admission.validate: [a] }\nplugins: { a: { use: "@acme/a", mode: off }, b: { use: "@acme/absent", mode: off } }\n`,
  );
  const kernel = await workspace.load();
  t.deepEqual(
    kernel.plugins().map(({ id, phase, version }) => [id, phase, version]),
    [
      ['a', 'off', '1.0.0'],
      ['b', 'off', ''],
    ],
  );
  t.deepEqual(kernel.registrations().taps, []);
});
