import assert from 'node:assert/strict';
import { expand, podField, resolveEnv } from '../../sandbox/agent/env.ts';
import { quantity, resourceValue } from '../../sandbox/agent/quantity.ts';
import type { Pod } from '../../sandbox/agent/types.ts';

const pod = {
  metadata: { name: 'p', namespace: 'ns', uid: 'u', resourceVersion: '1', labels: { app: 'x', 'a/b': 'c' } },
  spec: { containers: [{ name: 'c', resources: { limits: { memory: '512Mi', cpu: '250m' } } }], nodeName: 'n' },
} as Pod;

const objects: Record<string, Record<string, string>> = { 'configmaps/cm': { A: 'from-cm', B: 'b' }, 'secrets/s': { token: 't' } };
const sources = { pod, podIp: '10.13.1.1', hostIp: '10.13.0.1', get: (kind: string, name: string) => Promise.resolve(objects[`${kind}/${name}`]) };

describe('A container\'s environment', () => {
  it('takes envFrom first, then env, and expands what is known so far', async () => {
    const env = await resolveEnv({
      name: 'c', resources: { limits: { memory: '512Mi' } },
      envFrom: [{ prefix: 'P_', configMapRef: { name: 'cm' } }],
      env: [
        { name: 'ONE', value: '$(P_A)/$(BASE)' },
        { name: 'TWO', value: '$(ONE) $(LATER) $$(ONE)' },
        { name: 'LATER', value: 'x' },
        { name: 'KEY', valueFrom: { secretKeyRef: { name: 's', key: 'token' } } },
        { name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
        { name: 'MB', valueFrom: { resourceFieldRef: { resource: 'limits.memory', divisor: '1Mi' } } },
      ],
    }, { BASE: 'base' }, sources);
    assert.deepEqual(env, { BASE: 'base', P_A: 'from-cm', P_B: 'b', ONE: 'from-cm/base', TWO: 'from-cm/base $(LATER) $(ONE)', LATER: 'x', KEY: 't', IP: '10.13.1.1', MB: '512' });
  });

  it('leaves out an optional reference and names one that must be there', async () => {
    const optional = { name: 'X', valueFrom: { configMapKeyRef: { name: 'none', key: 'k', optional: true } } };
    assert.deepEqual(await resolveEnv({ name: 'c', env: [optional] }, {}, sources), {});
    const of = (env: object) => resolveEnv({ name: 'c', env: [env as never] }, {}, sources);
    await assert.rejects(of({ name: 'X', valueFrom: { configMapKeyRef: { name: 'none', key: 'k' } } }), /configmap "none" not found/);
    await assert.rejects(of({ name: 'X', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } }), /couldn't find key k in secret "s"/);
    await assert.rejects(of({ name: 'X', valueFrom: { fileKeyRef: { path: 'x' } } }), /fileKeyRef, which is not honoured/);
  });

  it('does not expand what is not a reference', () => {
    assert.equal(expand('$A $(A $$ $(A)', { A: '1' }), '$A $(A $ 1');
  });

  it('reads labels by key and all at once, and refuses an unknown field', () => {
    const field = (fieldPath: string) => podField({ fieldPath }, sources);
    assert.equal(field('metadata.labels[\'a/b\']'), 'c');
    assert.equal(field('metadata.labels'), 'a/b="c"\napp="x"');
    assert.throws(() => field('spec.secret'), /spec\.secret is not a field/);
  });
});

describe('Quantities', () => {
  it('are read with decimal and binary suffixes', () => {
    assert.deepEqual(['100m', '2', '1k', '1Gi', '1e3'].map(quantity), [0.1, 2, 1000, 2 ** 30, 1000]);
    assert.throws(() => quantity('12 apples'), /not a quantity/);
  });

  it('are rounded up to whole divisors', () => {
    const [container] = pod.spec.containers;
    assert.ok(container);
    assert.equal(resourceValue(container, 'limits.cpu', 0), '1');
    assert.equal(resourceValue(container, 'limits.memory', quantity('1Mi')), '512');
    assert.equal(resourceValue(container, 'limits.cpu', quantity('1m')), '250');
    assert.equal(resourceValue(container, 'requests.cpu', 1), '0');
  });
});
