import type { Command, Option } from './command.js';
import { watchingOptions } from './watching-options.js';

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
  user: { type: 'string', value: 'NAME', description: 'Only actions of this user, or of callers that impersonate this user.' },
  verb: { type: 'string', value: 'VERB', description: 'Only this verb.' },
  resource: { type: 'string', value: 'PLURAL[/PART]', description: 'Only requests for these resources.' },
  in: { type: 'string', value: 'NAMESPACE', description: 'Only in this namespace.' },
  name: { type: 'string', value: 'NAME', description: 'Only requests for objects of this name.' },
  request: { type: 'string', value: 'ID', description: 'Only the request with this id (X-Request-Id).' },
  tenant: { type: 'string', value: 'NAME', description: 'Only actions of members of this tenant.' },
  code: { type: 'string', value: 'STATUS', description: 'Only requests answered with this status.' },
  since: { type: 'string', value: 'TIME', description: 'Only from then on: 2h, 30m, 7d or a time as in ISO 8601.' },
  until: { type: 'string', value: 'TIME', description: 'Only up to then.' },
};

/** All commands, in the order shown by help. */
export const commands: readonly Command[] = [
  command(
    'up',
    ['', 0, 0],
    'Start the platform in this terminal; Ctrl-C stops it.',
    {
      file,
      first: { type: 'string', value: 'DIRECTORY', description: 'Deploy this directory at the first start.' },
      'new-admin-token': { type: 'boolean', description: 'Replace the first administrator’s token, which is lost, by a new one.' },
    },
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
  command(
    'whoami',
    ['', 0, 0],
    'Show the user that the platform identifies you as.',
    {},
    async () => (await import('./commands/whoami.js')).whoami,
  ),
  command(
    'token',
    ['create|list|describe|revoke|rotate-admin [NAME]', 1, 2],
    'Create, list and revoke API tokens; replace the first administrator’s token.',
    {
      user: {
        type: 'string',
        value: 'USER',
        description: 'User the token authenticates as. Default: you; for others, as an administrator.',
      },
      groups: { type: 'string', value: 'A,B', description: 'Groups it acts with, of your own. Default: all of yours; none with --user.' },
      tenant: { type: 'string', value: 'TENANT', description: 'Tenant the token belongs to. Default: yours; required with --user.' },
      'no-tenant': { type: 'boolean', description: 'The token belongs to no tenant, and gives access to none.' },
      namespaces: { type: 'string', value: 'A,B', description: 'Namespaces the token is valid in. Default: all.' },
      verbs: { type: 'string', value: 'A,B', description: 'Verbs the token is valid for, such as get,list,watch. Default: all.' },
      expires: {
        type: 'string',
        value: 'DURATION',
        description: 'Lifetime of the token, such as 12h or 30d. Default: as the platform is configured.',
      },
      description: { type: 'string', value: 'TEXT', description: 'What the token is for.' },
    },
    async () => (await import('./commands/token.js')).token,
  ),
  command(
    'deploy',
    ['[DIRECTORY|MANIFEST]', 0, 1],
    'Deploy a directory or an Application manifest as a running application.',
    {
      name: { type: 'string', value: 'NAME', description: 'Name of the application. Default: the manifest’s or the directory’s.' },
      image: { type: 'string', value: 'IMAGE', description: 'Deploy this image instead of source.' },
      timeout: { type: 'string', value: 'SECONDS', description: 'How long to wait for the application to serve. Default: 600.' },
      'no-wait': { type: 'boolean', description: 'Return as soon as the platform has taken the application.' },
    },
    async () => (await import('./commands/deploy.js')).deploy,
  ),
  command(
    'rollback',
    ['APPLICATION', 1, 1],
    'Let an earlier release of an application serve; later changes wait until it is unpinned.',
    {
      to: {
        type: 'string',
        value: 'RELEASE',
        description: 'This release, by name or number. Default: the last one before that has served.',
      },
      unpin: { type: 'boolean', description: 'Let the newest release serve again, and later changes roll out.' },
      timeout: { type: 'string', value: 'SECONDS', description: 'How long to wait for the release to serve. Default: 600.' },
      'no-wait': { type: 'boolean', description: 'Return as soon as the platform has taken it.' },
    },
    async () => (await import('./commands/rollback.js')).rollback,
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
    { ...watchingOptions, 'all-namespaces': { type: 'boolean', short: 'A', description: 'Of all namespaces.' } },
    async () => (await import('./commands/apps.js')).apps,
  ),
  command(
    'status',
    ['APPLICATION', 1, 1],
    'Show the state of an application, its problems and its events.',
    watchingOptions,
    async () => (await import('./commands/status.js')).status,
  ),
  command(
    'events',
    ['[APPLICATION]', 0, 1],
    'Show what happened to an application, or in a namespace, in the last hour.',
    { ...watchingOptions, 'all-namespaces': { type: 'boolean', short: 'A', description: 'In all namespaces.' } },
    async () => (await import('./commands/events.js')).events,
  ),
  command(
    'logs',
    ['APPLICATION', 1, 1],
    'Show the output of an application.',
    {
      follow: { type: 'boolean', short: 'f', description: 'Go on showing what comes.' },
      process: { type: 'string', value: 'PROCESS', description: 'Only of this process.' },
      tail: { type: 'string', value: 'LINES', description: 'Number of lines to begin with. Default: 100.' },
    },
    async () => (await import('./commands/logs.js')).logs,
  ),
  command(
    'exec',
    ['APPLICATION -- COMMAND [ARGUMENT …]', 2, 1_001],
    'Run a command beside a running process of an application; exits as the command does.',
    {
      stdin: { type: 'boolean', short: 'i', description: 'Pass standard input to the command.' },
      tty: { type: 'boolean', short: 't', description: 'Give the command a terminal, if the cluster supports it; the local one does not.' },
      process: { type: 'string', value: 'PROCESS', description: 'Beside this process. Default: the first that runs.' },
      replica: { type: 'string', value: 'POD|NUMBER', description: 'Beside this replica of it. Default: one that is ready.' },
    },
    async () => (await import('./commands/exec.js')).exec,
  ),
  command(
    'operations',
    ['[NAME|cancel NAME]', 0, 2],
    'List operations, show the state of one, or stop it.',
    { ...watchingOptions, 'all-namespaces': { type: 'boolean', short: 'A', description: 'Of all namespaces.' } },
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
    { file, origin: { type: 'boolean', description: 'Show which file set each value.' } },
    async () => (await import('./commands/config.js')).config,
  ),
  command(
    'plugins',
    ['[INSTANCE|approve INSTANCE|purge KIND]', 0, 2],
    'List plugins, show one in detail, accept the permissions that one requests, or remove the data of a removed one.',
    { file, yes: { type: 'boolean', description: 'Purge without asking back.' } },
    async () => (await import('./commands/plugins.js')).plugins,
  ),
  command(
    'secrets',
    ['keys|rotate|reencrypt|retire [KEY]', 1, 2],
    'List the keys that Secrets are sealed with, create a new one, reseal Secrets, and remove an old one.',
    {},
    async () => (await import('./commands/secrets.js')).secrets,
  ),
  command(
    'explain',
    ['KIND/NAME', 1, 1],
    'Show which plugin changed which field, and why a pod runs where it does.',
    {},
    async () => (await import('./commands/explain.js')).explain,
  ),
  command(
    'can',
    ['VERB RESOURCE [NAME]', 2, 3],
    'Show whether you may do something, and why; exits with 1 for no.',
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
      limit: { type: 'string', value: 'N', description: 'Maximum number of events. Default: 20 for tail, 100 for search, all for export.' },
      follow: { type: 'boolean', short: 'f', description: 'tail: go on showing what comes.' },
      directory: { type: 'string', value: 'DIRECTORY', description: 'Read the files in this directory instead of asking the platform.' },
      checkpoints: { type: 'string', value: 'DIRECTORY', description: 'verify: the signed checkpoints. Default: data/audit-checkpoints.' },
      key: { type: 'string', value: 'FILE', description: 'verify: trust this public key (PEM), not those beside the checkpoints.' },
      'require-checkpoints': {
        type: 'boolean',
        description: 'verify: fail for a chain of which no trusted checkpoint vouches for a line.',
      },
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
