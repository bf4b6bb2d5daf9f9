import { atOnce, defineFamily, definePlugin, defineService, families, optional, type BuildContext, type Context } from '@tappaas/sdk';
import test from 'ava';
import { pluginOf } from '../../dist/kernel/guard/identity.js';
import { extendContext } from '../../dist/kernel/kernel.js';
import { settled } from '../virtual-clock.ts';
import { load, metric, rejection, start } from './fixture.ts';

interface Greeter {
  readonly language: string;
  greet(name: string, context: Context): Promise<string>;
  now(): number;
  words(): AsyncIterable<string>;
}
const Greeting = defineService<Greeter>({ id: 'acme/greeting', contract: 1 });
const Greetings = defineFamily<Greeter>({ id: 'acme/greetings', contract: 1 });

const greeter = (language: string): Greeter & { secretField: string } => ({
  language,
  secretField: 'kept',
  async greet(name, context) {
    return `${this.secretField} ${name} ${context.plugin} ${context.remainingMs()}`;
  },
  now: () => 7,
  async *words() {
    yield language;
  },
});

test("a service is called in its provider's name, with a context of its own and what a stage added to it", async (t) => {
  const provider = definePlugin({ id: 'provider', setup: (host) => host.provide(Greeting, () => greeter('en')) });
  const builder = definePlugin({
    id: 'builder',
    setup: (host) =>
      host.provide(families.builder, () => ({
        description: 'x',
        async build(_request, context) {
          context.output(`${context.plugin} ${String(context.signal.aborted)}`);
          return { imageDigest: '', startedBy: '', cached: false };
        },
      })),
  });
  const { kernel, clock } = await start([
    { id: 'english', plugin: provider },
    { id: 'source', plugin: builder },
  ]);
  const service = await kernel.services.whenProvided(Greeting);
  t.is(service.language, 'en');
  t.is(service.now(), 7);
  const scope = { deadlineAtMs: clock.nowMs() + 500 };
  t.is(await service.greet('ann', kernel.platformContext(scope)), 'kept ann english 60000');
  const words: string[] = [];
  for await (const word of service.words()) words.push(word);
  t.deepEqual(words, ['en']);
  t.true('greet' in service);
  t.false('missing' in service);
  t.throws(() => Object.assign(service, { language: 'fr' }), { instanceOf: TypeError });
  const output: string[] = [];
  const context: BuildContext = extendContext(kernel.platformContext(), {
    output: (line: string) => void output.push(line),
    cancelled: new AbortController().signal,
  });
  await kernel.services
    .family(families.builder)
    .get('source')
    ?.build({} as never, context);
  t.deepEqual(output, ['source false']);
  t.is(metric(kernel, 'tappaas_tap_duration_seconds_count{plugin="english",hook="acme/greeting.greet",outcome="ok"}'), 1);
  await kernel.stop();
});

test('a family is a live map by instance id; an absent optional service is undefined', async (t) => {
  const seen: unknown[] = [];
  const provider = definePlugin({ id: 'provider', setup: (host) => host.provide(Greetings, () => greeter(host.id)) });
  const user = definePlugin({
    id: 'user',
    needs: { all: Greetings, one: optional(Greeting) },
    setup(host, _config, { all, one }) {
      host.onStart(async () => void seen.push([...all.keys()], all.get('de')?.language, all.get('xx'), all.size, [...all].length, one));
    },
  });
  const { kernel } = await start([
    { id: 'user', plugin: user },
    { id: 'en', plugin: provider },
    { id: 'de', plugin: provider },
  ]);
  t.deepEqual(seen, [['en', 'de'], 'de', undefined, 2, 2, undefined]);
  const live = kernel.services.family(Greetings);
  t.is(live.get('en'), live.get('en'), 'a handle is the same every time');
  await kernel.stop();
  t.deepEqual([...live.keys()], []);
});

test('a service that nobody provides now says so, and whoever waits for one is told when it comes', async (t) => {
  const provider = definePlugin({ id: 'provider', setup: (host) => host.provide(Greeting, () => greeter('en')) });
  const { kernel } = await load([{ id: 'en', plugin: provider }]);
  let provided: Greeter | undefined;
  void kernel.services.whenProvided(Greeting).then((service) => (provided = service));
  await settled();
  t.is(provided, undefined);
  t.is(kernel.services.provided(Greeting), undefined, 'and who does not wait is told so at once');
  await kernel.start();
  t.is(kernel.services.provided(Greeting)?.language, 'en');
  await settled();
  t.is(provided?.language, 'en');
  await kernel.stop();
  t.throws(() => provided?.language, { code: 'TAP_SERVICE_UNAVAILABLE', message: 'no plugin provides acme/greeting now' });
});

test('a service that fails is named, is cut off after five failures, and a provider must make an object', async (t) => {
  const failing = definePlugin({
    id: 'failing',
    setup: (host) =>
      host.provide(Greeting, () => ({
        ...greeter('en'),
        greet: async () => Promise.reject(new Error('no words')),
        now: () => {
          throw new Error('no time');
        },
      })),
  });
  const { kernel } = await start([{ id: 'en', plugin: failing }]);
  const service = await kernel.services.whenProvided(Greeting);
  t.throws(() => service.now(), { code: 'TAP_PLUGIN_FAILED', message: 'plugin en failed in acme/greeting.now: no time' });
  for (let n = 0; n < 5; n += 1)
    t.is((await rejection(service.greet('x', kernel.platformContext()))).message, 'plugin en failed in acme/greeting.greet: no words');
  const refused = service.greet('x', kernel.platformContext());
  t.is((await rejection(refused)).code, 'TAP_PLUGIN_CIRCUIT_OPEN');
  await kernel.stop();
  const empty = definePlugin({ id: 'empty', setup: (host) => host.provide(Greeting, () => undefined as never) });
  const { kernel: other } = await load([{ id: 'empty', plugin: empty }]);
  t.regex((await rejection(other.start())).message, /plugin empty provides undefined where service acme\/greeting is an object/);
});

test('a method that answers at once is called as its provider, fails as others do, and may not answer with a promise', async (t) => {
  const seen: (string | undefined)[] = [];
  const provider = definePlugin({
    id: 'provider',
    setup: (host) =>
      host.provide(Greeting, () => ({
        ...greeter('en'),
        now: atOnce(() => {
          seen.push(pluginOf());
          if (seen.length === 2) throw new Error('no time');
          return seen.length === 3 ? (Promise.resolve(3) as unknown as number) : seen.length;
        }),
      })),
  });
  const { kernel } = await start([{ id: 'en', plugin: provider }]);
  const service = await kernel.services.whenProvided(Greeting);
  t.is(service.now(), 1);
  t.throws(() => service.now(), { code: 'TAP_PLUGIN_FAILED', message: 'plugin en failed in acme/greeting.now: no time' });
  t.throws(() => service.now(), { code: 'TAP_PLUGIN_RESULT_INVALID', message: /plugin en answered acme\/greeting\.now with a promise/ });
  t.is(service.now(), 4);
  t.deepEqual(seen, ['en', 'en', 'en', 'en']);
  t.is(metric(kernel, 'tappaas_tap_duration_seconds_count{plugin="en",hook="acme/greeting.now",outcome="ok"}'), 2);
  await kernel.stop();
});

test('services that every request uses are called again however often they failed', async (t) => {
  const failing = definePlugin({
    id: 'failing',
    setup(host) {
      const fail = (): never => {
        throw new Error('this question');
      };
      host.provide(families.authorizer, () => ({ authorize: ({ verb }) => (verb === 'get' ? { decision: 'allow', reason: '' } : fail()) }));
      host.provide(families.authenticator, () => ({ authenticate: ({ remoteAddress }) => (remoteAddress === '' ? fail() : undefined) }));
    },
  });
  const { kernel } = await start([{ id: 'failing', plugin: failing }]);
  const authorizer = kernel.services.family(families.authorizer).get('failing');
  const authenticator = kernel.services.family(families.authenticator).get('failing');
  const caller = { name: 'ann', groups: [] };
  const context = kernel.platformContext();
  for (let n = 0; n < 20; n += 1) {
    t.throws(() => authorizer?.authorize({ caller, engine: 'platform', verb: 'post', path: '/x' }), { code: 'TAP_PLUGIN_FAILED' });
    t.throws(() => authenticator?.authenticate({ headers: {}, remoteAddress: '' }, context), { code: 'TAP_PLUGIN_FAILED' });
  }
  t.like(authorizer?.authorize({ caller, engine: 'platform', verb: 'get', path: '/x' }), { decision: 'allow' });
  t.is(authenticator?.authenticate({ headers: {}, remoteAddress: '::1' }, context), undefined);
  await kernel.stop();
});

test('services given from outside meet needs, behind the same guard', async (t) => {
  const seen: string[] = [];
  const user = definePlugin({
    id: 'user',
    needs: { one: Greeting, all: Greetings },
    setup(host, _config, { one, all }) {
      host.onStart(async (context) => void seen.push(await one.greet('x', context), [...all.keys()].join()));
    },
  });
  const services = [
    { service: Greeting, value: greeter('fake') },
    { service: Greetings, value: greeter('fake'), key: 'fake' },
  ];
  const { kernel } = await start([{ id: 'user', plugin: user }], { services });
  t.deepEqual(seen, ['kept x platform 10000', 'fake']);
  await kernel.stop();
});
