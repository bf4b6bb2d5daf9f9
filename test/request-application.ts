import { get } from 'node:http';
import type { PlatformHome } from './platform-process.ts';

/** Asks an application through the cluster's http port, by host name, without a resolver. */
export function requestApplication(
  home: Pick<PlatformHome, 'httpPort'>,
  host: string,
  path = '/',
): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((done, fail) => {
    const request = get({ host: '127.0.0.1', port: home.httpPort, path, headers: { host }, agent: false }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      answer.on('error', fail);
      answer.on('end', () => done({ status: answer.statusCode ?? 0, text }));
    });
    request.on('error', fail);
  });
}
