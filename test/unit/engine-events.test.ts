import assert from 'node:assert/strict';
import type { EngineEvent, StepEventMetadata } from '@pulumi/pulumi/automation/index.js';
import { EngineReader } from '../../automation/engineEvents.ts';

describe('engine events', () => {
  const stack = 'urn:pulumi:dev::p::pulumi:pulumi:Stack::p-dev';
  const region = 'urn:pulumi:dev::p::kbf:index:KafkaBridgeRegion::east';
  const bridge = 'urn:pulumi:dev::p::kbf:index:KafkaBridgeRegion$kubernetes:kafka.strimzi.io/v1:KafkaBridge::east-bridge';
  const step = (urn: string, parent: string, op = 'create'): StepEventMetadata => ({ op, urn, type: '', new: { parent } } as unknown as StepEventMetadata);
  const event = (fields: object): EngineEvent => ({ sequence: 1, timestamp: 1, ...fields });

  it('name a resource by its kind and the component around it', () => {
    const reader = new EngineReader();
    assert.equal(reader.read(event({ resourcePreEvent: { metadata: step(stack, '') } })), undefined);
    reader.read(event({ resourcePreEvent: { metadata: step(region, stack) } }));
    assert.deepEqual(reader.read(event({ resOutputsEvent: { metadata: step(bridge, region) } })), {
      kind: 'resource', urn: bridge, type: 'KafkaBridge', name: 'east-bridge', component: 'KafkaBridgeRegion east', op: 'create', state: 'done',
    });
  });

  it('tell of a provider once, when it is done', () => {
    const reader = new EngineReader();
    const provider = 'urn:pulumi:dev::p::pulumi:providers:kubernetes::east';
    assert.equal(reader.read(event({ resourcePreEvent: { metadata: step(provider, stack, 'update') } })), undefined);
    assert.deepEqual(reader.read(event({ resOutputsEvent: { metadata: step(provider, stack, 'update') } })), { kind: 'provider', of: 'kubernetes', name: 'east', op: 'update' });
  });

  it('give a failure in the resource\'s own words, without colours, stack frames or the engine\'s closing line', () => {
    const reader = new EngineReader();
    reader.read(event({ resourcePreEvent: { metadata: step(region, stack) } }));
    reader.read(event({ resourcePreEvent: { metadata: step(bridge, region) } }));
    reader.read(event({ diagnosticEvent: { urn: bridge, severity: 'error', color: '', message: '<{%reset%}>timed out: NotReady<{%reset%}>\n    at run (/a/b.ts:1:2)\n' } }));
    reader.read(event({ diagnosticEvent: { urn: stack, severity: 'error', color: '', message: 'update failed' } }));
    assert.equal(reader.failure(), 'KafkaBridge east-bridge (KafkaBridgeRegion east): timed out: NotReady');
  });

  it('that are chatter mean nothing', () => {
    const reader = new EngineReader();
    for (const said of [{ severity: 'debug' }, { severity: 'info', ephemeral: true }, { severity: 'info', message: ' ' }, { severity: 'warning', message: 'using pulumi-resource-kubernetes from $PATH at /t/bin/x' }]) {
      assert.equal(reader.read(event({ diagnosticEvent: { color: '', message: 'x', ...said } })), undefined);
    }
    assert.equal(reader.failure(), undefined);
  });
});
