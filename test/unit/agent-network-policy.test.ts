import assert from 'node:assert/strict';
import fc from 'fast-check';
import { cutsOf, unhonoured } from '../../sandbox/agent/network-policy.ts';
import type { NetworkPolicy } from '../../sandbox/agent/network-policy.ts';
import { selects } from '../../sandbox/agent/selector.ts';

const policy = (spec: NonNullable<NetworkPolicy['spec']>, namespace = 'n'): NetworkPolicy => ({ metadata: { name: 'p', namespace, uid: 'u', resourceVersion: '1' }, spec });
const pod = (labels: Record<string, string> = { app: 'a' }) => ({ metadata: { name: 'pod', namespace: 'n', uid: 'u', resourceVersion: '1', labels } });
const both = ['Ingress', 'Egress'];
const allBut = (...except: string[]) => [{ ipBlock: { cidr: '0.0.0.0/0', except } }];
const denyAll = policy({ podSelector: {}, policyTypes: both });
const allExcept = (...except: string[]) => policy({ podSelector: {}, policyTypes: ['Egress'], egress: [{ to: allBut(...except) }] });

describe('Network policies', () => {
  it('that deny all cut a pod off from everything', () => {
    assert.deepEqual(cutsOf(pod(), [denyAll]), ['0.0.0.0/0']);
    assert.deepEqual(cutsOf(pod(), [policy({ podSelector: {}, policyTypes: both, ingress: [], egress: [] })]), ['0.0.0.0/0']);
  });

  it('that leave addresses out cut a pod off from these, also when they say it of both directions', () => {
    assert.deepEqual(cutsOf(pod(), [allExcept('10.1.2.3/32', '10.2.0.0/16')]), ['10.1.2.3/32', '10.2.0.0/16']);
    const spoken = policy({ podSelector: {}, policyTypes: both, ingress: [{ from: allBut('10.1.2.3/32') }], egress: [{ to: allBut('10.1.2.3/32') }] });
    assert.deepEqual(cutsOf(pod(), [spoken]), ['10.1.2.3/32']);
    const open = policy({ podSelector: {}, policyTypes: both, ingress: [{}], egress: [{ to: allBut('10.1.2.3/32') }] });
    assert.deepEqual(cutsOf(pod(), [open]), ['10.1.2.3/32']);
  });

  it('that speak of IPv6 as well, which no pod here has, say no more than without', () => {
    const v6 = (...except: string[]) => ({ ipBlock: { cidr: '::/0', ...(except.length === 0 ? {} : { except }) } });
    for (const other of [v6(), v6('fd00::1/128')]) {
      const spoken = policy({ podSelector: {}, policyTypes: ['Egress'], egress: [{ to: [...allBut('10.1.2.3/32'), other] }] });
      assert.deepEqual([unhonoured(spoken), cutsOf(pod(), [spoken])], [[], ['10.1.2.3/32']]);
    }
    const alone = policy({ podSelector: {}, policyTypes: ['Egress'], egress: [{ to: [v6()] }] });
    assert.deepEqual([unhonoured(alone), cutsOf(pod(), [alone])], [['spec.egress[0].to[0].ipBlock.cidr'], []]);
  });

  it('select pods of their own namespace by labels alone', () => {
    const selecting = (podSelector: NonNullable<NetworkPolicy['spec']>['podSelector'] = {}, namespace = 'n') => cutsOf(pod(), [policy({ podSelector, policyTypes: both }, namespace)]).length;
    assert.equal(selecting({ matchLabels: { app: 'a' } }), 1);
    assert.equal(selecting({ matchLabels: { app: 'b' } }), 0);
    assert.equal(selecting({ matchLabels: { app: 'a' }, matchExpressions: [{ key: 'app', operator: 'NotIn', values: ['a'] }] }), 0);
    assert.equal(selecting({}, 'other'), 0);
  });

  it('allow together what any of them allows', () => {
    assert.deepEqual(cutsOf(pod(), [allExcept('10.1.0.0/16', '10.9.9.9/32'), allExcept('10.1.2.0/24', '10.8.8.8/32')]), ['10.1.2.0/24']);
    assert.deepEqual(cutsOf(pod(), [denyAll, policy({ podSelector: {}, policyTypes: both, ingress: [{}], egress: [{}] })]), []);
  });

  it('that say anything else have no effect, and the field is named', () => {
    const cases: [NonNullable<NetworkPolicy['spec']>, RegExp][] = [
      [{ policyTypes: ['Ingress'] }, /spec\.ingress \(without/],
      [{}, /spec\.ingress \(without/],
      [{ policyTypes: ['Egress'] }, /spec\.egress \(denying all without/],
      [{ policyTypes: both, egress: [{}], ingress: [] }, /spec\.ingress \(denying other/],
      [{ egress: [{ ports: [{ port: 53 }] }] }, /spec\.egress\[0\]\.ports/],
      [{ egress: [{}, {}] }, /spec\.egress\[1\]/],
      [{ egress: [{ to: [...allBut(), ...allBut()] }] }, /spec\.egress\[0\]\.to\[1\]/],
      [{ egress: [{ to: [{ ipBlock: { cidr: '10.0.0.0/8' } }] }] }, /spec\.egress\[0\]\.to\[0\]\.ipBlock\.cidr/],
      [{ policyTypes: both, egress: [{}], ingress: [{ from: [{ podSelector: {} } as object] }] }, /spec\.ingress\[0\]\.from\[0\]\.podSelector/],
    ];
    for (const [spec, expected] of cases) {
      const strange = policy({ podSelector: {}, ...spec });
      assert.match(unhonoured(strange).join(), expected, JSON.stringify(spec));
      assert.deepEqual(cutsOf(pod(), [strange]), []);
    }
    for (const known of [denyAll, allExcept('10.1.2.3/32')]) assert.deepEqual(unhonoured(known), []);
  });

  it('never cut off what one of them leaves open', () => {
    const block = fc.tuple(fc.integer({ min: 0, max: 3 }), fc.constantFrom(8, 16, 24, 32)).map(([n, length]) => `10.${length > 8 ? n : 0}.${length > 16 ? n : 0}.${length > 24 ? n : 0}/${length}`);
    fc.assert(fc.property(fc.array(fc.array(block, { maxLength: 4 }), { minLength: 1, maxLength: 3 }), fc.integer({ min: 0, max: 3 }), (lists, n) => {
      const address = `10.${n}.${n}.${n}`;
      const within = (blocks: readonly string[]) => blocks.some((text) => {
        const [base = '', length = ''] = text.split('/');
        return base.split('.').slice(0, Number(length) / 8).join('.') === address.split('.').slice(0, Number(length) / 8).join('.');
      });
      assert.equal(within(cutsOf(pod(), lists.map((list) => allExcept(...list)))), lists.every(within));
    }));
  });
});

describe('A label selector', () => {
  it('knows the four operators of Kubernetes, and no others', () => {
    const selected = (operator: string, values: string[] | undefined, labels: Record<string, string>) => selects({ matchExpressions: [{ key: 'k', operator, ...(values === undefined ? {} : { values }) }] }, labels);
    assert.deepEqual([selected('In', ['a'], { k: 'a' }), selected('In', ['a'], { k: 'b' }), selected('In', ['a'], {})], [true, false, false]);
    assert.deepEqual([selected('NotIn', ['a'], { k: 'a' }), selected('NotIn', ['a'], { k: 'b' }), selected('NotIn', ['a'], {})], [false, true, true]);
    assert.deepEqual([selected('Exists', undefined, { k: '' }), selected('Exists', undefined, {})], [true, false]);
    assert.deepEqual([selected('DoesNotExist', undefined, { k: '' }), selected('DoesNotExist', undefined, {})], [false, true]);
    assert.equal(selected('Gt', ['1'], { k: '2' }), false);
  });
});
