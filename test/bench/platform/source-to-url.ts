import { get } from 'node:http';
import { join } from 'node:path';
import { platformHome, root, type PlatformHome } from '../../platform-process.ts';
import type { BenchmarkRow } from '../row.ts';
import { figuresOf, timed } from './process-figures.ts';

function answers(home: PlatformHome, host: string): Promise<boolean> {
  return new Promise((done) => {
    get({ host: '127.0.0.1', port: home.httpPort, headers: { host }, agent: false }, (answer) => {
      answer.resume();
      done(answer.statusCode === 200);
    }).on('error', () => done(false));
  });
}

/** A first start, and a directory with source on its way to a URL that answers. */
export async function sourceToUrl(): Promise<readonly BenchmarkRow[]> {
  const home = await platformHome();
  const start = await timed(() => home.start());
  const { cpuMs } = await figuresOf(start.value.child.pid);
  const fresh = await timed(() => home.tappaas('deploy', join(root, 'examples/hello')));
  const isAnswering = await answers(home, 'hello.default.localhost');
  const repeat = await timed(() => home.tappaas('deploy', join(root, 'examples/hello'), '--name', 'again'));
  await start.value.stop();
  await home.remove();
  return [
    { name: 'start to ready, first start, empty', value: start.seconds, unit: 's', target: '< 1 s' },
    { name: 'the same, CPU of all its threads', value: cpuMs / 1000, unit: 's' },
    {
      name: `source to URL, examples/hello, fresh (${isAnswering ? 'answers' : 'does not answer'})`,
      value: fresh.seconds,
      unit: 's',
      target: '< 5 s',
    },
    { name: 'source to URL, repeat', value: repeat.seconds, unit: 's', target: '< 2 s' },
  ];
}
