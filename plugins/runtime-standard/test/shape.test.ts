import type { PodTemplate } from '@tappaas/sdk';
import test from 'ava';
import { shapeStandard } from '../dist/shape.js';

const defaults = { cpu: '100m', memory: '128Mi' };
const template = (resources?: object): PodTemplate => ({ spec: { containers: [{ name: 'web', ...(resources ? { resources } : {}) }] } });
const shaped = (draft: PodTemplate) => {
  shapeStandard(draft, defaults);
  return draft;
};

test('what was asked for stays, what was left open is filled in', (t) => {
  t.deepEqual(shaped(template({ requests: { cpu: '2' } })).spec?.containers[0]?.resources, {
    requests: { cpu: '2', memory: '128Mi' },
    limits: { memory: '128Mi' },
  });
});

test('shaping a shaped template changes nothing', (t) => {
  const once = shaped(template());
  t.deepEqual(shaped(structuredClone(once)), once);
});

test('a process gets no service account token and no privileges', (t) => {
  const { spec } = shaped(template());
  t.false(spec?.automountServiceAccountToken);
  t.false(spec?.containers[0]?.securityContext?.allowPrivilegeEscalation);
});
