import assert from 'node:assert/strict';
import type { EngineEvent, StepEventMetadata } from '@pulumi/pulumi/automation/index.js';
import { EngineReader } from '../../automation/engineEvents.ts';
import { showEngine } from '../../automation/live.ts';

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

  it('tell nothing of what is in the state alone', () => {
    const placement = 'urn:pulumi:dev::p::kbf:index:KafkaBridgeRegion$kbf:index:Placement::east-placement';
    assert.equal(new EngineReader().read(event({ resourcePreEvent: { metadata: step(placement, region) } })), undefined);
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

  it('remember the namespaces that were not deleted, with the provider of their cluster', () => {
    const reader = new EngineReader();
    const namespace = 'urn:pulumi:dev::p::kbf:index:KafkaBridgeRegion$kubernetes:core/v1:Namespace::east-namespace';
    const failed = (urn: string, op: string) => event({ resOpFailedEvent: { status: 1, steps: 1, metadata: { op, urn, type: '', provider: 'urn:pulumi:dev::p::pulumi:providers:kubernetes::east::id', old: { parent: region, id: 'kafka-bridge' } } } });
    for (const [urn, op] of [[namespace, 'delete'], [namespace, 'update'], [bridge, 'delete']] as const) reader.read(failed(urn, op));
    assert.deepEqual(reader.stuck, [{ name: 'kafka-bridge', provider: 'urn:pulumi:dev::p::pulumi:providers:kubernetes::east::id' }]);
  });

  it('are told as they come: errors by what they begin with, each once, and what the program itself says', () => {
    const lines: string[] = [];
    const engine = showEngine({ update: () => undefined, done: () => undefined, note: (line) => { lines.push(line); }, close: () => undefined });
    const said = (severity: 'info' | 'error', resource: string, text: string): void => { engine.onEvent({ kind: 'message', severity, resource, text }); };
    said('info', '', 'waiting for the load balancer address of Service a/b in cluster east');
    said('info', 'Command check', 'what a command wrote');
    for (let times = 0; times < 2; times += 1) said('error', '', 'Service a/b in cluster east has no load balancer address after 300 s; last state: status {}.\nSee: kubectl describe service');
    said('error', 'Namespace a', 'deletion failed:\n1 error occurred:\n\t* finalizers might be preventing deletion\n');
    said('error', '', 'update failed');
    engine.finish();
    assert.deepEqual(lines, [
      'waiting for the load balancer address of Service a/b in cluster east',
      'error: Service a/b in cluster east has no load balancer address after 300 s; last state: status {}.',
      'error: Namespace a: deletion failed: 1 error occurred: * finalizers might be preventing deletion',
    ]);
  });

  it('that are chatter mean nothing', () => {
    const reader = new EngineReader();
    for (const said of [{ severity: 'debug' }, { severity: 'info', ephemeral: true }, { severity: 'info', message: ' ' }, { severity: 'info#err', message: '(node:1) DeprecationWarning: old' }, { severity: 'warning', message: 'using pulumi-resource-kubernetes from $PATH at /t/bin/x' }]) {
      assert.equal(reader.read(event({ diagnosticEvent: { color: '', message: 'x', ...said } })), undefined);
    }
    assert.equal(reader.failure(), undefined);
    assert.deepEqual(reader.read(event({ diagnosticEvent: { urn: stack, severity: 'info', color: '', message: 'waiting\n' } })), { kind: 'message', severity: 'info', resource: '', text: 'waiting' });
  });
});
