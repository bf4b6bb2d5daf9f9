import type { Dispatch, TapFailure, Thread } from '../../dist/kernel/hooks/dispatch.js';

/** A tap as these tests write one. */
export interface FakeTap {
  readonly plugin: string;
  readonly kind?: string;
  readonly engine?: string;
  readonly operations?: readonly string[];
  readonly sideEffects?: string;
  // oxlint-disable-next-line typescript/no-explicit-any -- inputs of many kinds
  readonly run: (input: any) => unknown;
}

interface Selected {
  readonly engine?: string;
  readonly kind?: { readonly kind: string };
  readonly operation?: string;
}

/** The kernel's dispatch with the same semantics and nothing of the guard: taps run in their order, what throws is a failure. */
export function fakeDispatch(taps: Readonly<Record<string, readonly FakeTap[]>>): Dispatch {
  const of = (hook: { readonly name: string }, selector: Selected = {}): readonly FakeTap[] =>
    (taps[hook.name] ?? []).filter(
      ({ kind, engine = '', operations = ['create', 'update'] }) =>
        (kind === undefined || kind === selector.kind?.kind) &&
        engine === (selector.engine ?? '') &&
        (selector.operation === undefined || operations.includes(selector.operation)),
    );
  const failure = (plugin: string, error: unknown): TapFailure => ({ plugin, error: error as TapFailure['error'] });
  const dispatch = {
    has: (hook: { readonly name: string }, selector?: Selected) => of(hook, selector).length > 0,
    withSideEffects: (hook: { readonly name: string }, selector?: Selected) =>
      of(hook, selector).flatMap(({ plugin, sideEffects }) => (sideEffects === 'some' ? [plugin] : [])),
    async transform(hook: { readonly name: string }, selector: Selected, thread: Thread<unknown, object>) {
      let { value } = thread;
      const changes: { plugin: string; paths: readonly string[] }[] = [];
      for (const { plugin, run } of of(hook, selector)) {
        try {
          const answered = await run(thread.input(value, plugin));
          if (answered === undefined) continue;
          const after = thread.take ? thread.take(value, answered, plugin) : (answered as object);
          const paths = Object.keys(after).filter((name) => (after as never)[name] !== (value as never)[name]);
          if (paths.length > 0) changes.push({ plugin, paths: paths.map((name) => `/${name}`) });
          value = after;
        } catch (error) {
          if ((error as { code?: string }).code === 'TAP_ADMISSION_ANSWER_INVALID') throw error;
          return { value, changes, failure: failure(plugin, error) };
        }
      }
      return { value, changes };
    },
    async gate(
      hook: { readonly name: string },
      selector: Selected,
      input: object,
      _scope: unknown,
      viewFor?: (plugin: string, input: object) => object,
    ) {
      const denials: object[] = [];
      const failures: TapFailure[] = [];
      for (const { plugin, run } of of(hook, selector)) {
        try {
          const answer = await run(viewFor ? viewFor(plugin, input) : input);
          if (answer !== undefined) denials.push(...[answer].flat().map((denial) => ({ ...(denial as object), plugin })));
        } catch (error) {
          failures.push(failure(plugin, error));
        }
      }
      return { denials, failures };
    },
    collectSync(hook: { readonly name: string }, selector: Selected, input: object) {
      const answers: object[] = [];
      const failures: TapFailure[] = [];
      for (const { plugin, run } of of(hook, selector)) {
        try {
          answers.push({ plugin, value: run(input) });
        } catch (error) {
          failures.push(failure(plugin, error));
        }
      }
      return { answers, failures };
    },
  };
  return dispatch as unknown as Dispatch;
}
