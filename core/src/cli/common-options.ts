import type { Option } from './command.js';

/** Options that all commands have. */
export const commonOptions: Readonly<Record<string, Option>> = {
  output: { type: 'string', short: 'o', value: 'json|yaml|wide', description: 'How to print.' },
  namespace: { type: 'string', short: 'n', value: 'NAMESPACE', description: 'Namespace. Default: $TAPPAAS_NAMESPACE, or default.' },
  server: { type: 'string', value: 'URL', description: 'Platform to talk to. Default: that of the login.' },
  help: { type: 'boolean', short: 'h', description: 'Show this.' },
};
