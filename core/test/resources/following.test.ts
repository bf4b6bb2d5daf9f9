import test from 'ava';
import { followed } from '../../dist/resources/following.js';
import { resourceErrors } from '../../dist/resources/errors.js';

const object = (name: string, resourceVersion: string) => ({ metadata: { name, namespace: 'a', uid: name, resourceVersion } });
const never = new AbortController().signal;

/** A source that plays the lists in turn; each watch loses its history, but for the last, which waits. */
function losing(lists: readonly (readonly ReturnType<typeof object>[])[]) {
  let turn = 0;
  return {
    list: async () => ({ items: lists[turn++] ?? [], revision: String(turn) }),
    async *watch() {
      if (turn < lists.length) throw resourceErrors.TAP_OBJECT_EXPIRED({ message: 'too old' });
      await new Promise(() => {});
      yield* [];
    },
  };
}

test('where the history is gone, the difference is told: nothing twice, nothing missed', async (t) => {
  const source = losing([
    [object('stays', '1'), object('goes', '1'), object('changes', '1')],
    [object('stays', '1'), object('changes', '2'), object('comes', '2')],
  ]);
  const batches = followed(source, never)[Symbol.asyncIterator]();
  const reported = async () => ((await batches.next()).value ?? []).map(({ type, object: { metadata } }) => `${type} ${metadata.name}`);
  t.deepEqual(await reported(), ['put stays', 'put goes', 'put changes']);
  t.deepEqual(await reported(), ['deleted goes', 'put changes', 'put comes']);
});

test('a watch ends with the error of its source when the source refuses for another reason', async (t) => {
  const source = {
    list: async () => {
      throw resourceErrors.TAP_KIND_NOT_FOUND({ message: 'gone' });
    },
  };
  await t.throwsAsync(followed(source as never, never).next(), { code: 'TAP_KIND_NOT_FOUND' });
});
