import assert from 'node:assert/strict';
import { families, freezeDeep, type PodTemplate, type RuntimeType } from '@tappaas/sdk';
import type { Case } from './case.js';
import type { MakePlugin } from './plugin/harness.js';
import { checkDescribed, checkPlain, providedCases } from './provided.js';

type Facts = Parameters<RuntimeType['shape']>[1];

const web = { name: 'web', image: 'example/app:1', command: ['serve'], env: [{ name: 'MODE', value: 'fast' }] };
const templates: Readonly<Record<string, PodTemplate>> = {
  'a bare process': { spec: { containers: [{ name: 'web', image: 'example/app:1' }] } },
  'a process that asks for much': {
    metadata: { labels: { app: 'shop' }, annotations: { note: 'kept' } },
    spec: {
      containers: [
        {
          ...web,
          ports: [{ name: 'http', containerPort: 8080 }],
          resources: { requests: { cpu: '2', memory: '1Gi' }, limits: { memory: '2Gi' } },
          volumeMounts: [{ name: 'data', mountPath: '/data' }],
        },
      ],
      volumes: [{ name: 'data', emptyDir: {} }],
    },
  },
  'two containers': { spec: { containers: [web, { name: 'helper', image: 'example/helper:1' }] } },
};

/**
 * The conformance cases of runtime types, for any test runner. They pass no parameters, so a runtime with required parameters needs tests
 * of its own.
 */
export function runtimeConformance(make: MakePlugin): readonly Case[] {
  return providedCases(families.runtime, make, {
    'it describes itself, its parameters and what it requires of a cluster': (runtime) => {
      checkDescribed(runtime);
      assert.equal(runtime.parameters.type, 'object', 'parameters is no object schema');
      checkPlain(runtime.parameters, 'parameters');
    },
    'shaping is pure: the same template and facts give the same': (runtime) =>
      each(runtime, (shape, template) => {
        const first = shape(template, facts(runtime, 'a'));
        shape({ spec: { containers: [{ name: 'other', image: 'other' }] } }, facts(runtime, 'b'));
        assert.deepEqual(shape(template, facts(runtime, 'a')), first);
      }),
    'shaping a shaped template changes nothing more': (runtime) =>
      each(runtime, (shape, template) => {
        const once = shape(template, facts(runtime));
        assert.deepEqual(shape(once, facts(runtime)), once);
      }),
    'what the process asked for stays': (runtime) =>
      each(runtime, (shape, template) => {
        const shaped = shape(template, facts(runtime));
        assert.partialDeepStrictEqual(shaped.metadata ?? {}, template.metadata ?? {});
        for (const container of template.spec?.containers ?? []) {
          const found = shaped.spec?.containers.find(({ name }) => name === container.name);
          assert(found !== undefined, `container ${container.name} is gone`);
          assert.partialDeepStrictEqual(found, container, `container ${container.name} was changed`);
        }
        const names = (shaped.spec?.volumes ?? []).map(({ name }) => name);
        for (const { name } of template.spec?.volumes ?? []) assert(names.includes(name), `volume ${name} is gone`);
      }),
    'what it makes is plain data, and its facts stay as they were': (runtime) =>
      each(runtime, (shape, template) => checkPlain(shape(template, freezeDeep(facts(runtime))), 'the shaped template')),
    'a template without a pod in it is borne': (runtime) => {
      runtime.shape({}, facts(runtime));
    },
  });
}

const facts = (_runtime: RuntimeType, process = 'web'): Facts => ({ application: 'shop', process, parameters: {} });

/** Runs a check with every template; `shape` returns a shaped copy. */
function each(
  runtime: RuntimeType,
  check: (shape: (template: PodTemplate, given: Facts) => PodTemplate, template: PodTemplate) => void,
): void {
  const shape = (template: PodTemplate, given: Facts): PodTemplate => {
    const draft = structuredClone(template);
    const answer: unknown = runtime.shape(draft, given);
    assert(!(answer instanceof Promise), 'shape answered with a promise');
    return draft;
  };
  for (const [what, template] of Object.entries(templates)) {
    try {
      check(shape, template);
    } catch (error) {
      if (error instanceof Error) error.message = `${what}: ${error.message}`;
      throw error;
    }
  }
}
