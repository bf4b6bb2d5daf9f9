import { defaultNamespace } from './called-as.js';
import { cliErrorOf } from './cli-error-of.js';
import { CliError } from './cli-error.js';
import type { Terminal } from './terminal.js';

/**
 * Adds to the remedy of a refused request that its namespace was chosen by default: callers who are permitted elsewhere have often only
 * forgotten `-n`. Other errors are returned as they are.
 */
export function withNamespaceHint(error: unknown, { env }: Pick<Terminal, 'env'>, given: string | undefined): unknown {
  const refusal = cliErrorOf(error);
  if (refusal === undefined || given !== undefined || env['TAPPAAS_NAMESPACE'] !== undefined || !isForbidden(refusal.cause)) return error;
  const namespace = defaultNamespace({ env });
  // Requests at the cluster scope, or for a namespace that a command names itself, would be the same with another -n.
  if (!refusal.message.includes(`in the namespace "${namespace}"`)) return error;
  return new CliError(refusal.message, {
    remedy: `Name the namespace with -n NAMESPACE if you did not mean "${namespace}". ${refusal.remedy}`,
    exitCode: refusal.exitCode,
    cause: error,
  });
}

const isForbidden = (cause: unknown): boolean => cause instanceof Error && 'code' in cause && cause.code === 'TAP_REQUEST_FORBIDDEN';
