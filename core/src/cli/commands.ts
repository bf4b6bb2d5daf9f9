import type { Command, Option } from './command.js';

const file: Option = {
  type: 'string',
  short: 'f',
  value: 'FILE',
  description: 'Configuration file. Default: tappaas.yaml of the current directory.',
};

const command = (
  name: string,
  operands: readonly [text: string, min: number, max: number],
  summary: string,
  options: Readonly<Record<string, Option>>,
  load: Command['load'],
): Command => ({ name, operands: operands[0], operandsMin: operands[1], operandsMax: operands[2], summary, options, load });

const accessOptions: Readonly<Record<string, Option>> = {
  cluster: { type: 'string', value: 'NAME', description: 'Ask about a cluster instead of the platform.' },
  'all-namespaces': { type: 'boolean', short: 'A', description: 'In all namespaces.' },
};

const auditFilters: Readonly<Record<string, Option>> = {
  user: { type: 'string', value: 'NAME', description: 'Only what this user did, or somebody as this user.' },
  verb: { type: 'string', value: 'VERB', description: 'Only this verb.' },
  resource: { type: 'string', value: 'PLURAL[/PART]', description: 'Only about these resources.' },
  in: { type: 'string', value: 'NAMESPACE', description: 'Only in this namespace.' },
  name: { type: 'string', value: 'NAME', description: 'Only about objects of this name.' },
  request: { type: 'string', value: 'ID', description: 'Only the request with this id (X-Request-Id).' },
  tenant: { type: 'string', value: 'NAME', description: 'Only what people of this tenant did.' },
  code: { type: 'string', value: 'STATUS', description: 'Only what was answered with this status.' },
  since: { type: 'string', value: 'TIME', description: 'Only from then on: 2h, 30m, 7d or a time as in ISO 8601.' },
  until: { type: 'string', value: 'TIME', description: 'Only up to then.' },
};

/** Every command, in the order in which help shows them. */
export const commands: readonly Command[] = [
  command(
    'up',
    ['', 0, 0],
    'Start the platform in this terminal; Ctrl-C stops it.',
    { file, first: { type: 'string', value: 'DIRECTORY', description: 'Deploy this directory at the first start.' } },
    async () => (await import('./commands/up.js')).up,
  ),
  command(
    'login',
    ['SERVER', 1, 1],
    'Remember a platform and a token for later commands.',
    {
      token: { type: 'string', value: 'TOKEN', description: 'API token. Default: $TAPPAAS_TOKEN.' },
      oidc: { type: 'boolean', description: 'Log in at an OpenID provider instead, with a browser on this machine.' },
      device: { type: 'boolean', description: 'With --oidc: with a browser anywhere, by a code.' },
      issuer: { type: 'string', value: 'NAME', description: 'With --oidc: which provider. Default: the first.' },
      instance: { type: 'string', value: 'ID', description: 'With --oidc: instance of the plugin. Default: oidc.' },
      'certificate-authority': {
        type: 'string',
        value: 'FILE',
        description: 'PEM file of the authority that signed the platform’s certificate.',
      },
    },
    async () => (await import('./commands/login.js')).login,
  ),
  command(
    'logout',
    ['', 0, 0],
    'Forget the platform and the token that login remembered.',
    {},
    async () => (await import('./commands/logout.js')).logout,
  ),
  command('whoami', ['', 0, 0], 'Say who the platform takes you for.', {}, async () => (await import('./commands/whoami.js')).whoami),
  command(
    'token',
    ['create|list|describe|revoke [NAME]', 1, 2],
    'Make API tokens, list them, and end them.',
    {
      user: { type: 'string', value: 'USER', description: 'Whom the token stands for. Default: you; for others, as an administrator.' },
      groups: { type: 'string', value: 'A,B', description: 'Groups it acts with, of your own. Default: none.' },
      tenant: { type: 'string', value: 'TENANT', description: 'Tenant it belongs to. Default: yours; to be said with --user.' },
      'no-tenant': { type: 'boolean', description: 'It belongs to no tenant, and opens none.' },
      namespaces: { type: 'string', value: 'A,B', description: 'Namespaces it is good for. Default: all.' },
      verbs: { type: 'string', value: 'A,B', description: 'Verbs it is good for, such as get,list,watch. Default: all.' },
      expires: { type: 'string', value: 'DURATION', description: 'It is good so long, such as 12h or 30d. Default: as the platform says.' },
      description: { type: 'string', value: 'TEXT', description: 'What it is for.' },
    },
    async () => (await import('./commands/token.js')).token,
  ),
  command(
    'deploy',
    ['[DIRECTORY|MANIFEST]', 0, 1],
    'Bring a directory or an Application manifest to a running application.',
    {
      name: { type: 'string', value: 'NAME', description: 'Name of the application. Default: the manifest’s or the directory’s.' },
      image: { type: 'string', value: 'IMAGE', description: 'Deploy this image instead of source.' },
      timeout: { type: 'string', value: 'SECONDS', description: 'Wait so long for the application to serve. Default: 600.' },
      'no-wait': { type: 'boolean', description: 'Return as soon as the platform has taken the application.' },
    },
    async () => (await import('./commands/deploy.js')).deploy,
  ),
  command(
    'render',
    ['[DIRECTORY|MANIFEST]', 0, 1],
    'Show the Application that deploy would send.',
    { name: { type: 'string', value: 'NAME', description: 'Name of the application.' } },
    async () => (await import('./commands/render.js')).render,
  ),
  command(
    'apps',
    ['', 0, 0],
    'List applications.',
    { 'all-namespaces': { type: 'boolean', short: 'A', description: 'Of all namespaces.' } },
    async () => (await import('./commands/apps.js')).apps,
  ),
  command(
    'status',
    ['APPLICATION', 1, 1],
    'Say how an application is and what is in its way.',
    {},
    async () => (await import('./commands/status.js')).status,
  ),
  command(
    'logs',
    ['APPLICATION', 1, 1],
    'Show what an application writes.',
    {
      follow: { type: 'boolean', short: 'f', description: 'Go on showing what comes.' },
      process: { type: 'string', value: 'PROCESS', description: 'Only of this process.' },
      tail: { type: 'string', value: 'LINES', description: 'Begin with so many lines. Default: 100.' },
    },
    async () => (await import('./commands/logs.js')).logs,
  ),
  command(
    'operations',
    ['[NAME|cancel NAME]', 0, 2],
    'List what takes longer than a request, say how one is, or stop it.',
    { 'all-namespaces': { type: 'boolean', short: 'A', description: 'Of all namespaces.' } },
    async () => (await import('./commands/operations.js')).operations,
  ),
  command(
    'delete',
    ['APPLICATION', 1, 1],
    'Delete an application and everything it runs.',
    { 'no-wait': { type: 'boolean', description: 'Do not wait until it is gone.' } },
    async () => (await import('./commands/delete.js')).deleteApplication,
  ),
  command(
    'check',
    ['', 0, 0],
    'Find every mistake in the configuration without starting anything.',
    { file },
    async () => (await import('./commands/check.js')).check,
  ),
  command(
    'config',
    ['show|schema', 1, 1],
    'Show the effective configuration, or the schema for editors.',
    { file, origin: { type: 'boolean', description: 'Say which file set what.' } },
    async () => (await import('./commands/config.js')).config,
  ),
  command(
    'plugins',
    ['[approve INSTANCE]', 0, 2],
    'List plugins, or accept the permissions that one asks for.',
    { file },
    async () => (await import('./commands/plugins.js')).plugins,
  ),
  command(
    'explain',
    ['KIND/NAME', 1, 1],
    'Say which plugin changed which field, and why a pod is where it is.',
    {},
    async () => (await import('./commands/explain.js')).explain,
  ),
  command(
    'can',
    ['VERB RESOURCE [NAME]', 2, 3],
    'Say whether you may do something, and why; exits with 1 for no.',
    accessOptions,
    async () => (await import('./commands/can.js')).can,
  ),
  command(
    'who-can',
    ['VERB RESOURCE [NAME]', 2, 3],
    'List who may do something, and through which binding.',
    accessOptions,
    async () => (await import('./commands/who-can.js')).whoCan,
  ),
  command(
    'audit',
    ['tail|search|verify|export', 1, 1],
    'Read, verify and export the record of who did what.',
    {
      ...auditFilters,
      limit: { type: 'string', value: 'N', description: 'At most so many events. Default: 20 for tail, 100 for search, all for export.' },
      follow: { type: 'boolean', short: 'f', description: 'tail: go on showing what comes.' },
      directory: { type: 'string', value: 'DIRECTORY', description: 'Read the files in this directory instead of asking the platform.' },
      checkpoints: { type: 'string', value: 'DIRECTORY', description: 'verify: the signed checkpoints. Default: data/audit-checkpoints.' },
      key: { type: 'string', value: 'FILE', description: 'verify: trust this public key (PEM), not those beside the checkpoints.' },
      platform: { type: 'boolean', description: 'verify: compare with the checkpoint in the store of the running platform too.' },
      csv: { type: 'boolean', description: 'export: comma-separated values instead of one JSON object a line.' },
    },
    async () => (await import('./commands/audit.js')).audit,
  ),
  command(
    'policy',
    ['test FILE', 2, 2],
    'Decide by Cedar policies without a platform, and compare with what FILE expects.',
    {},
    async () => (await import('./commands/policy.js')).policy,
  ),
  command(
    'reload',
    ['', 0, 0],
    'Make the running platform read its configuration again.',
    { workers: { type: 'boolean', description: 'Replace the processes that serve the API instead, one after the other.' } },
    async () => (await import('./commands/reload.js')).reload,
  ),
  command(
    'version',
    ['', 0, 0],
    'Show the versions of the command and of the platform.',
    {},
    async () => (await import('./commands/version.js')).version,
  ),
];
