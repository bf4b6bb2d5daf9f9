import test from 'ava';
import { createLog } from '../../dist/telemetry/log.js';

function written(format: 'text' | 'json', act: (log: ReturnType<typeof createLog>) => void): string {
  let text = '';
  act(createLog({ format, level: 'info', clock: { nowMs: () => 0 }, write: (line) => (text += line) }));
  return text;
}

for (const format of ['text', 'json'] as const) {
  test(`a message with line breaks stays one ${format} line`, (t) => {
    t.is(
      written(format, (log) => log.info('a\nforged line\r\u2028x'))
        .trimEnd()
        .split(/[\n\r\u2028]/).length,
      1,
    );
  });

  test(`a field named like a credential is not written as ${format}`, (t) => {
    const text = written(format, (log) => log.info('request', { authorization: 'Bearer canary', Token: 'canary' }));
    t.false(text.includes('canary'));
    t.true(text.includes('[secret]'));
  });
}

test('names that sound like credentials are hidden at every depth, in lists, causes and what turns itself into JSON', (t) => {
  const fields = {
    request: { headers: { 'X-Api-Key': 'canary', cookie: 'canary', accept: 'text/plain' }, cookies: ['canary'] },
    settings: [{ clientSecret: 'canary', accessToken: 'canary', refresh_token: 'canary' }],
    odd: { toJSON: () => ({ password: 'canary', user: 'ann' }) },
    error: new Error('no answer', { cause: Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }) }),
  };
  const text = written('json', (log) => log.info('request', fields));
  t.false(text.includes('canary'), text);
  t.like(JSON.parse(text), {
    request: { headers: { 'X-Api-Key': '[secret]', accept: 'text/plain' } },
    odd: { password: '[secret]', user: 'ann' },
    error: { cause: { code: 'ECONNREFUSED' } },
  });
});

test('a line is bounded however much its fields hold, and stays JSON', (t) => {
  const deep: object = Array.from({ length: 1_000 }).reduce<object>((inner) => ({ inner }), { end: true });
  const loop = new Error('loop');
  loop.cause = loop;
  const fields = {
    long: 'x'.repeat(10_000_000),
    many: Array.from({ length: 100_000 }, (_, n) => n),
    wide: Object.fromEntries(Array.from({ length: 100_000 }, (_, n) => [`key${n}`, n])),
    deep,
    loop,
    bytes: Buffer.alloc(1_000_000),
    named: { ['n'.repeat(10_000)]: 'x'.repeat(1_000_000) },
  };
  const text = written('json', (log) => log.info('much', fields));
  t.true(text.length < 64_000, `${text.length} characters`);
  t.like(JSON.parse(text), { message: 'much', loop: { message: 'loop' } });
  for (const [name, value] of Object.entries(fields)) {
    const alone = written('json', (log) => log.info('much', { before: 1, [name]: value, after: 2 }));
    t.true(alone.length < 64_000, `${name}: ${alone.length} characters`);
    t.like(JSON.parse(alone), { message: 'much', before: 1 }, name);
  }
});

test('what cannot be told of a field takes nothing from the others', (t) => {
  const fields = {
    count: 12n,
    get broken(): never {
      throw new Error('no');
    },
    odd: {
      toJSON() {
        throw new Error('no');
      },
    },
    reported: true,
  };
  const inside = { inside: fields, reported: true };
  t.like(JSON.parse(written('json', (log) => log.info('x', inside))), { message: 'x', reported: true });
  t.like(JSON.parse(written('json', (log) => log.info('x', { odd: fields.odd, count: 12n, reported: true }))), {
    count: '12',
    reported: true,
  });
});

test('no field takes the place of time, level, plugin or message', (t) => {
  const fields = { level: 'error', message: 'forged', plugin: 'other', time: 'never' };
  const line = JSON.parse(written('json', (log) => log.forPlugin('cost-guard').info('true', fields))) as Record<string, unknown>;
  t.like(line, { level: 'info', message: 'true', plugin: 'cost-guard' });
  t.not(line['time'], 'never');
});

test('characters that turn the order of a line around are escaped', (t) => {
  t.regex(
    written('text', (log) => log.info('a\u202eb\u2066c')),
    /a\\u202eb\\u2066c/,
  );
});

test('lines below the level are not written', (t) => {
  t.is(
    written('text', (log) => log.debug('x')),
    '',
  );
});

test('a plugin’s lines name it', (t) => {
  t.is((JSON.parse(written('json', (log) => log.forPlugin('cost-guard').warn('x'))) as { plugin: string }).plugin, 'cost-guard');
});

test('an error keeps message, code and the causes below it', (t) => {
  const cause = Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
  const text = written('json', (log) => log.error('failed', { error: new Error('no answer', { cause }) }));
  const { error } = JSON.parse(text) as { error: { message: string; cause: { code: string } } };
  t.is(error.message, 'no answer');
  t.is(error.cause.code, 'ECONNREFUSED');
});

test('a value that cannot be serialised does not break the line', (t) => {
  const cyclic: Record<string, unknown> = {};
  cyclic['self'] = cyclic;
  t.regex(
    written('text', (log) => log.info('x', { cyclic })),
    /not serialisable/,
  );
});

test('a listener hears every line as it is written, until it leaves, and not what it logs itself', (t) => {
  const received: string[] = [];
  let reported = 0;
  const text = written('text', (log) => {
    const leave = log.listen(({ message, fields }) => {
      reported += 1;
      received.push(`${message} ${String(fields['token'])}`);
      log.forPlugin('exporter').warn('the exporter complains');
    });
    log.info('one', { token: 'canary' });
    log.debug('below the level');
    log.forPlugin('cost-guard').warn('two');
    leave();
    log.info('three');
  });
  t.deepEqual(received, ['one [secret]', 'two undefined']);
  t.is(reported, 2);
  t.is(text.split('the exporter complains').length - 1, 2);
});
