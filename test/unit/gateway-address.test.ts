import assert from 'node:assert/strict';

import * as pulumi from '@pulumi/pulumi';

import type { Cluster } from '../../components/cluster.ts';
import type { ClusterReader, FieldWanted, LiveObject } from '../../components/cluster-reader.ts';
import { gatewayAddress } from '../../components/gateway.ts';
import type { InstallGateway } from '../../components/resources/tsb.ts';
import type { ServiceConfiguration } from '../../config/schema.ts';

describe('the address of a gateway', () => {
  type Ingress = readonly { ip?: string; hostname?: string }[];

  /** What is waited for at a Service with this status; the address is undefined as long as it is waited for. */
  async function seen(ingress: Ingress, service: Partial<ServiceConfiguration>, address?: pulumi.Input<string>): Promise<{ address: unknown; wanted: FieldWanted<unknown> | undefined }> {
    await pulumi.runtime.setMocks({ newResource: () => ({ id: '', state: {} }), call: () => ({}) }, 'kafka-bridge-failover', 'test');
    let wanted: FieldWanted<unknown> | undefined;
    const awaitField = (({ kind }, field) => {
      if (kind !== 'Service') return pulumi.output(1);
      wanted = field;
      return pulumi.output(field.select({ spec: { clusterIP: '10.96.0.1' }, status: { loadBalancer: { ingress } } } as unknown as LiveObject));
    }) as ClusterReader['awaitField'];
    const output = gatewayAddress({ id: pulumi.output('edge/tier1'), kind: pulumi.output('Gateway') } as InstallGateway, { namespace: 'edge', name: 'tier1' }, {
      cluster: { reader: { awaitField } as ClusterReader } as Cluster, service: { type: 'LoadBalancer', annotations: {}, ...service }, ...(address === undefined ? {} : { address }),
    });
    return { address: await (output as unknown as { promise(): Promise<unknown> }).promise(), wanted };
  }

  it('is whichever its load balancer has, where none is wanted', async () => {
    assert.equal((await seen([{ ip: '35.9.9.9' }, { ip: '36.9.9.9' }], {})).address, '35.9.9.9');
    const { address, wanted } = await seen([{ hostname: 'lb.example' }], {});
    assert.deepEqual([address, wanted?.what, wanted?.which], ['lb.example', 'load balancer address', undefined]);
  });

  it('is the one that is wanted, however it is written, or is waited for', async () => {
    assert.equal((await seen([{ ip: '35.9.9.9' }, { ip: '34.1.1.1' }], { address: '34.1.1.1' })).address, '34.1.1.1');
    assert.equal((await seen([{ ip: '2600:1900::1' }], { address: '2600:1900:0::0001' })).address, '2600:1900::1');
    for (const ingress of [[], [{ ip: '35.9.9.9' }], [{ hostname: 'lb.example' }]]) assert.equal((await seen(ingress, { address: '34.1.1.1' })).address, undefined);
    const { wanted } = await seen([{ ip: '35.9.9.9' }], { address: '34.1.1.1' });
    assert.equal(wanted?.which, '34.1.1.1 (wanted by spec.loadBalancerIP, which not every cloud looks at)');
  });

  it('is one that was reserved before one that is configured', async () => {
    const reserved = pulumi.output('34.2.2.2');
    assert.equal((await seen([{ ip: '35.9.9.9' }], {}, reserved)).address, undefined, 'that of before it was reserved');
    assert.equal((await seen([{ ip: '34.2.2.2' }], { address: '34.1.1.1' }, reserved)).address, '34.2.2.2');
  });

  it('is not known in a preview, where it is reserved by the run', async () => {
    const unknown = pulumi.output(pulumi.unknown as string);
    assert.equal((await seen([{ ip: '35.9.9.9' }], {}, unknown)).wanted, undefined);
  });

  it('is what stands in front of it, or its own in the cluster, without a load balancer', async () => {
    assert.equal((await seen([], { type: 'NodePort', address: 'front.example' })).address, 'front.example');
    assert.equal((await seen([], { type: 'ClusterIP' })).address, '10.96.0.1');
  });
});
