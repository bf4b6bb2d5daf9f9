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

/** What else the machine does makes a start longer, never shorter: the best of some counts. */
const startsMax = 3;

interface Start {
  readonly seconds: number;
  readonly cpuMs: number;
}

/** Starts platforms in empty directories; `env` is added to what they are started with. */
async function firstStart(env: Readonly<Record<string, string>>): Promise<Start> {
  let best: Start | undefined;
  for (let index = 0; index < startsMax; index += 1) {
    const home = await platformHome({ env });
    const { value: platform, seconds } = await timed(() => home.start());
    const { cpuMs } = await figuresOf(platform.child.pid);
    if (best === undefined || seconds < best.seconds) best = { seconds, cpuMs };
    await platform.stop();
    await home.remove();
  }
  return best ?? { seconds: 0, cpuMs: 0 };
}

/** First starts, with and without code that was compiled before, and a directory with source on its way to a URL that answers. */
export async function sourceToUrl(): Promise<readonly BenchmarkRow[]> {
  const uncompiled = await firstStart({ NODE_DISABLE_COMPILE_CACHE: '1' });
  // A start leaves its compiled code when it ends, so from the second one on everything is compiled.
  const compiled = await firstStart({});
  const home = await platformHome();
  const platform = await home.start();
  const fresh = await timed(() => home.tappaas('deploy', join(root, 'examples/hello')));
  const isAnswering = await answers(home, 'hello.default.localhost');
  const repeat = await timed(() => home.tappaas('deploy', join(root, 'examples/hello'), '--name', 'again'));
  await platform.stop();
  await home.remove();
  return [
    { name: 'start to ready, first start, empty', value: compiled.seconds, unit: 's', target: '< 1 s' },
    { name: 'the same, CPU of all its threads', value: compiled.cpuMs / 1000, unit: 's' },
    { name: 'start to ready, first start, empty, nothing compiled before', value: uncompiled.seconds, unit: 's', target: '< 1 s' },
    { name: 'the same, CPU of all its threads', value: uncompiled.cpuMs / 1000, unit: 's' },
    {
      name: `source to URL, examples/hello, fresh (${isAnswering ? 'answers' : 'does not answer'})`,
      value: fresh.seconds,
      unit: 's',
      target: '< 5 s',
    },
    { name: 'source to URL, repeat', value: repeat.seconds, unit: 's', target: '< 2 s' },
  ];
}
