/** `node src/main.ts NAMESPACE NAME DIGEST` */
import { connect, type PlatformClient } from './client.ts';
import { DeployDocument, ListApplicationsDocument, LogsDocument, ProgressDocument } from './generated.ts';

const { TAPPAAS_URL = 'https://127.0.0.1:7443', TAPPAAS_TOKEN = '' } = process.env;
const [namespace = 'default', name = 'shop', digest = ''] = process.argv.slice(2);

async function list(client: PlatformClient): Promise<void> {
  const { applications } = await client.send(ListApplicationsDocument, { namespace });
  for (const application of applications.nodes)
    console.log(`there is ${application.name} at ${application.status?.url ?? 'no address yet'}`);
}

/** The operation that the change has begun; none when everything is already as it is asked for. */
async function deploy(client: PlatformClient): Promise<string | undefined> {
  const processes = [{ name: 'web', command: ['node', 'server.js'], ports: [{ name: 'http', port: 8080 }] }];
  const routes = [{ name: 'public', process: 'web', port: 'http' }];
  const input = { namespace, name, force: true, spec: { source: { upload: { digest } }, processes, routes } };
  const { userErrors, operation } = (await client.send(DeployDocument, { input })).applyApplication;
  if (userErrors.length === 0) return operation?.name;
  const told = userErrors.map(({ field, message }) => (field ? `${field}: ${message}` : message));
  throw new Error(`refused: ${told.join('; ')}`);
}

async function follow(client: PlatformClient, operation: string): Promise<void> {
  for await (const { operationProgress } of client.follow(ProgressDocument, { namespace, name: operation })) {
    const { phase, percent, error } = operationProgress.status ?? {};
    console.log(`${operation}: ${phase ?? 'Pending'} ${percent ?? 0} %${error ? ` ${error}` : ''}`);
  }
}

async function firstLine(client: PlatformClient): Promise<void> {
  for await (const { applicationLogs } of client.follow(LogsDocument, { namespace, name })) {
    const { pod, time, text } = applicationLogs;
    console.log(`${pod}: ${time ?? ''} ${text}`);
    break;
  }
}

const client = connect(TAPPAAS_URL, TAPPAAS_TOKEN);
try {
  await list(client);
  const operation = await deploy(client);
  if (operation === undefined) console.log(`nothing of ${name} has changed`);
  else await follow(client, operation);
  await firstLine(client);
} catch (error) {
  // What was refused is for whoever runs this to put right: its words, not the place in this program.
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  await client.close();
}
