/** `node src/main.ts NAMESPACE NAME DIGEST` */
import { connect } from './client.ts';
import { DeployDocument, ListApplicationsDocument, LogsDocument, ProgressDocument } from './generated.ts';

const { TAPPAAS_URL = 'https://127.0.0.1:7443', TAPPAAS_TOKEN = '' } = process.env;
const [namespace = 'default', name = 'shop', digest = ''] = process.argv.slice(2);
const client = connect(TAPPAAS_URL, TAPPAAS_TOKEN);

const { applications } = await client.send(ListApplicationsDocument, { namespace });
for (const application of applications.nodes) console.log(`there is ${application.name} at ${application.status?.url ?? 'no address yet'}`);

const processes = [{ name: 'web', command: ['node', 'server.js'], ports: [{ name: 'http', port: 8080 }] }];
const routes = [{ name: 'public', process: 'web', port: 'http' }];
const input = { namespace, name, force: true, spec: { source: { upload: { digest } }, processes, routes } };
const { applyApplication } = await client.send(DeployDocument, { input });
for (const { field, message } of applyApplication.userErrors) console.log(`refused: ${field ?? 'it'}: ${message}`);
const operation = applyApplication.operation?.name;
if (operation === undefined) throw new Error('nothing goes on');

for await (const { operationProgress } of client.follow(ProgressDocument, { namespace, name: operation })) {
  const { phase, percent, error } = operationProgress.status ?? {};
  console.log(`${operation}: ${phase ?? 'Pending'} ${percent ?? 0} %${error ? ` ${error}` : ''}`);
}

for await (const { applicationLogs } of client.follow(LogsDocument, { namespace, name })) {
  console.log(`${applicationLogs.pod}: ${applicationLogs.text}`);
  break;
}
await client.close();
