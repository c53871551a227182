import assert from 'node:assert/strict';
import { AddressPool } from '../../sandbox/agent/network.ts';
import { isUnscheduled, refusal } from '../../sandbox/agent/scheduler.ts';
import type { Node } from '../../sandbox/agent/scheduler.ts';
import type { Pod, PodSpec } from '../../sandbox/agent/types.ts';
import { unhonoured } from '../../sandbox/agent/unhonoured.ts';

const pod = (spec: object = {}) => ({ metadata: { name: 'p', namespace: 'ns', uid: 'u', resourceVersion: '1' }, spec: { containers: [], ...spec } as unknown as PodSpec }) as Pod;
const node = (spec = {}): Node => ({ metadata: { name: 'n', uid: 'u', resourceVersion: '1', labels: { zone: 'a' } }, spec });

describe('The cluster\'s one node', () => {
  it('takes a pod that selects it and refuses one that does not', () => {
    assert.equal(refusal(pod({ nodeSelector: { zone: 'a' } }), node()), undefined);
    assert.match(refusal(pod({ nodeSelector: { zone: 'b' } }), node()) ?? '', /didn't match Pod's node affinity\/selector/);
    const affinity = (operator: string, values?: string[]) => pod({ affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'zone', operator, values }] }] } } } });
    assert.deepEqual([['In', 'a'], ['In', 'b'], ['NotIn', 'a'], ['Exists'], ['DoesNotExist']].map(([operator = '', ...values]) => refusal(affinity(operator, values), node()) === undefined), [true, false, false, true, false]);
  });

  it('refuses pods while it is cordoned, except those that tolerate it', () => {
    const cordoned = node({ unschedulable: true });
    assert.match(refusal(pod(), cordoned) ?? '', /unschedulable/);
    assert.equal(refusal(pod({ tolerations: [{ operator: 'Exists' }] }), cordoned), undefined);
  });

  it('refuses pods that do not tolerate its taint', () => {
    const tainted = node({ taints: [{ key: 'k', value: 'v', effect: 'NoSchedule' }] });
    assert.match(refusal(pod(), tainted) ?? '', /untolerated taint {k: v}/);
    assert.equal(refusal(pod({ tolerations: [{ key: 'k', value: 'v', effect: 'NoSchedule' }] }), tainted), undefined);
    assert.notEqual(refusal(pod({ tolerations: [{ key: 'k', value: 'w' }] }), tainted), undefined);
  });

  it('leaves pods with gates, of other schedulers, or on their way out alone', () => {
    assert.equal(isUnscheduled(pod()), true);
    assert.equal(isUnscheduled(pod({ nodeName: 'n' })), false);
    assert.equal(isUnscheduled(pod({ schedulingGates: [{ name: 'g' }] })), false);
    assert.equal(isUnscheduled(pod({ schedulerName: 'mine' })), false);
  });
});

describe('Pod addresses', () => {
  it('begin at 10.x.1.1, prefer what a pod had, and come again as late as possible', () => {
    const pool = new AddressPool({ podCidr: '10.13.0.0/16' });
    assert.equal(pool.take('10.13.1.2'), '10.13.1.2');
    assert.deepEqual([pool.take(), pool.take(), pool.take('10.13.1.2')], ['10.13.1.1', '10.13.1.3', '10.13.1.4']);
    pool.give('10.13.1.1');
    assert.equal(pool.take(), '10.13.1.5');
    assert.equal(pool.take('10.14.1.1'), '10.13.1.6', 'not one of another cluster');
    assert.equal(pool.take('10.13.0.1'), '10.13.1.7', 'not the node\'s');
  });
});

describe('What is not honoured', () => {
  it('is named by its path', () => {
    assert.deepEqual(unhonoured(pod({ hostNetwork: true, containers: [{ name: 'c', resources: { limits: { cpu: '1' } }, securityContext: {}, livenessProbe: { grpc: { port: 1 } } }] })),
      ['hostNetwork', 'containers[c].resources', 'containers[c].livenessProbe.grpc']);
  });

  it('is a restricted pod’s security context, with which it runs all the same', () => {
    const securityContext = { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } };
    const container = { name: 'c', resources: { requests: { cpu: '20m' } }, securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } } };
    assert.deepEqual(unhonoured(pod({ securityContext, containers: [container] })), ['securityContext', 'containers[c].resources', 'containers[c].securityContext']);
  });

  it('is nothing for what the API server fills in by itself', () => {
    assert.deepEqual(unhonoured(pod({ dnsPolicy: 'ClusterFirst', enableServiceLinks: true, securityContext: {}, schedulerName: 'default-scheduler', containers: [{ name: 'c', resources: {}, imagePullPolicy: 'Always' }] })), []);
  });
});
