import { join } from 'node:path';
import { readJson } from '../agent/json-file.js';
import { isAlive } from '../agent/process/identity.js';
import { files, type AgentRecord, type AgentSettings } from '../agent/settings.js';

/** The record of the running agent of a directory; undefined if there is none. */
export async function runningAgent(directory: string): Promise<AgentRecord | undefined> {
  const record = await readJson<AgentRecord>(join(directory, files.agent));
  return record && isAlive(record) ? record : undefined;
}

/** The port for Ingress hosts of the running agent of a directory; undefined if there is none. */
export async function agentHttpPort(directory: string): Promise<number | undefined> {
  if ((await runningAgent(directory)) === undefined) return undefined;
  return (await readJson<AgentSettings>(join(directory, files.settings)))?.httpPort;
}
