import type { Command } from './command.js';

/** The command for a first word that is not a command name: a kind, followed by an action that a plugin defines for it. */
export const actionCommand = (kind: string): Command => ({
  name: kind,
  operands: 'ACTION NAME [FIELD=VALUE …]',
  operandsMin: 1,
  operandsMax: 66,
  summary: `Run an action of a ${kind}. A value that is valid JSON is read as JSON, any other as text.`,
  options: {
    'dry-run': { type: 'boolean', description: 'Check everything and do nothing.' },
    timeout: { type: 'string', value: 'SECONDS', description: 'How long to wait for a long-running action. Default: 600.' },
    'no-wait': { type: 'boolean', description: 'Return as soon as an action that takes long has begun.' },
  },
  load: async () => (await import('./commands/action.js')).action(kind),
});
