import type { ApiError, Client } from '@tappaas/client';
import { CliError } from './cli-error.js';
import { exitCodes } from './command.js';

/** Resources that commands need and plugins serve, by path prefix. */
const servedBy: readonly { readonly begin: string; readonly what: string; readonly plugin: string }[] = [
  { begin: '/apis/apps.tappaas.dev/', what: 'applications', plugin: '@tappaas/controller-application' },
  { begin: '/apis/identity.tappaas.dev/v1alpha1/apitokens', what: 'API tokens', plugin: '@tappaas/identity-token' },
];

/** Wraps a client so that requests for resources that no plugin serves fail with the name of the plugin to load. */
export function namingMissingPlugin(client: Client): Client {
  return {
    ...client,
    json: (path, request) => client.json<never>(path, request).catch(explaining(path)),
    until: (place, enough) => client.until(place, enough).catch(explaining(place.collection)),
    async *watch<O>(...[path, options]: Parameters<Client['watch']>) {
      try {
        yield* client.watch<O>(path, options);
      } catch (error) {
        explaining(path)(error);
      }
    },
  };
}

const explaining =
  (path: string) =>
  (error: unknown): never => {
    if (!(error instanceof Error) || (error as Partial<ApiError>).code !== 'TAP_REQUEST_PATH_UNKNOWN') throw error;
    const cluster = /^\/clusters\/(?<name>[^/]+)\//.exec(path)?.groups?.['name'];
    if (cluster !== undefined) throw unknownCluster(decodeURIComponent(cluster), error);
    const served = servedBy.find(({ begin }) => path.startsWith(begin));
    if (served === undefined) throw error;
    throw new CliError(`the platform serves no ${served.what}`, {
      remedy: `Load the plugin ${served.plugin} in its configuration.`,
      exitCode: exitCodes.failed,
      cause: error,
    });
  };

function unknownCluster(name: string, cause: Error): CliError {
  return new CliError(`the platform serves nothing of that kind on a cluster "${name}"`, {
    remedy: 'Check the name of the cluster: tappaas plugins lists what is loaded.',
    exitCode: exitCodes.failed,
    cause,
  });
}
