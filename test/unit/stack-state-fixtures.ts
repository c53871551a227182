import type { ResourceState, StackState } from '../../automation/stackState.ts';

const urn = (type: string, name: string): string => `urn:pulumi:dev::p::${type}::${name}`;
const stackUrn = urn('pulumi:pulumi:Stack', 'p-dev');
export const providerUrnOf = (cluster: string): string => urn('pulumi:providers:kubernetes', cluster);
export const checkOf = (region: string): string => urn('kbf:index:KafkaBridgeRegion$command:local:Command', `${region}-check`);
export const urnsOf = (region: string): string[] => [
  providerUrnOf(region),
  urn('kbf:index:KafkaBridgeRegion', region),
  urn('kbf:index:KafkaBridgeRegion$kubernetes:core/v1:Namespace', `${region}-namespace`),
  urn('kbf:index:KafkaBridgeRegion$kubernetes:kafka.strimzi.io/v1:KafkaBridge', `${region}-bridge`),
];

/** Two regions, and an object in the central cluster that was made after them. */
export function stackState(): StackState {
  const provider = (name: string): ResourceState => ({ urn: providerUrnOf(name), type: 'pulumi:providers:kubernetes', custom: true, id: `id-${name}`, parent: stackUrn, inputs: { context: name, kubeconfig: '/k' } });
  const region = (name: string): ResourceState[] => {
    const [at = '', component = '', namespace = '', bridge = ''] = urnsOf(name);
    const common = { custom: true, parent: component, provider: `${at}::id-${name}` };
    return [
      provider(name),
      { urn: component, type: 'kbf:index:KafkaBridgeRegion', custom: false, parent: stackUrn },
      { ...common, urn: namespace, type: 'kubernetes:core/v1:Namespace', id: 'kafka-bridge', inputs: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'kafka-bridge' } } },
      {
        ...common, urn: bridge, type: 'kubernetes:kafka.strimzi.io/v1:KafkaBridge', id: 'kafka-bridge/bridge', dependencies: [namespace], propertyDependencies: { metadata: [namespace], spec: [urn('kubernetes:core/v1:ConfigMap', 'group')] },
        inputs: { apiVersion: 'kafka.strimzi.io/v1', kind: 'KafkaBridge', metadata: { name: 'bridge', namespace: 'kafka-bridge' } },
      },
    ];
  };
  const check = (region: string): ResourceState => ({ urn: checkOf(region), type: 'command:local:Command', custom: true, id: 'c', parent: urnsOf(region)[1] ?? '' });
  const central = { type: 'kubernetes:core/v1:ConfigMap', custom: true, parent: stackUrn, provider: `${providerUrnOf('central')}::id-central` };
  return {
    resources: [
      { urn: stackUrn, type: 'pulumi:pulumi:Stack', custom: false },
      provider('central'),
      { ...central, urn: urn('kubernetes:core/v1:ConfigMap', 'group'), id: 'g' },
      ...region('east'), check('east'), ...region('west'),
      { ...central, urn: urn('kubernetes:core/v1:ConfigMap', 'tier1'), id: 't', dependencies: [...urnsOf('east').slice(1), ...urnsOf('west').slice(1)], propertyDependencies: { data: urnsOf('east').slice(2) } },
    ],
  };
}
