import assert from 'node:assert/strict';

import { judgeClientSecrets } from '../../automation/doctor/client-secrets.ts';
import { lineOf } from '../../automation/doctor/finding.ts';
import { judgeLocalities } from '../../automation/doctor/locality.ts';
import { configuration, short, TwoClusters } from './doctor-fixtures.ts';

describe('doctor: localities', () => {
  const two = new TwoClusters();
  const regions = configuration({ regions: [
    { name: 'east', context: 'east', tsbCluster: 'east-1', locality: { region: 'us-east1', zone: 'us-east1-a' } },
    { name: 'west', context: 'west', tsbCluster: 'west-1' },
  ] });
  const node = (name: string, region?: string, zone?: string) => ({
    metadata: { name, labels: { ...(region === undefined ? {} : { 'topology.kubernetes.io/region': region }), ...(zone === undefined ? {} : { 'topology.kubernetes.io/zone': zone }) } },
  });
  async function judged(...nodes: object[]): Promise<string> {
    two.east.objects.set('/api/v1/nodes', { items: nodes });
    return (await judgeLocalities(await two.look({ configuration: regions }))).map(lineOf).join('\n');
  }

  it('are what the nodes say; a region may have more zones', async () => {
    assert.equal(await judged(node('a', 'us-east1', 'us-east1-a'), node('b', 'us-east1', 'us-east1-b')), 'ok         locality  east  all 2 nodes are in us-east1');
  });

  it('are not what the nodes say, or not said by them', async () => {
    assert.match(await judged(node('a', 'us-east1', 'us-east1-a'), node('b', 'us-west1'), node('c')), /^fault .*b \(us-west1\), c \(not labelled\): topology\.kubernetes\.io\/region is not us-east1, as regions\[0\]\.locality\.region says\. Correct the setting, or label/);
    assert.match(await judged(node('a', 'us-east1', 'us-east1-c')), /^warning .*a \(us-east1-c\): topology\.kubernetes\.io\/zone is not us-east1-a, as regions\[0\]\.locality\.zone says/);
  });

  it('are not known where there are no nodes, or nobody answers', async () => {
    assert.match(await judged(), /^unchecked .*has no nodes yet$/);
    assert.deepEqual(short(await judgeLocalities(await two.look({ configuration: regions }, [two.west]))), ['unchecked east: its cluster cannot be asked']);
  });
});

describe('doctor: Secrets of bridges', () => {
  const two = new TwoClusters();
  const asking = configuration({
    kafka: { context: 'east', domain: 'kafka.invalid', listeners: [{ type: 'loadbalancer', authentication: 'tls' }] }, bridge: { authentication: { type: 'tls', secret: { name: 'user' } } },
  });
  const path = '/api/v1/namespaces/kafka-bridge/secrets/user';

  it('are in every region, or not, or not whole', async () => {
    const base64 = (text: string): string => Buffer.from(text).toString('base64');
    two.east.objects.set(path, { data: { 'user.crt': base64('-----BEGIN CERTIFICATE-----'), 'user.key': base64('-----BEGIN PRIVATE KEY-----') } });
    const judged = async () => short(await judgeClientSecrets(await two.look({ configuration: asking })));
    two.east.objects.set('/api/v1/namespaces/kafka-cluster/secrets/kafka-clients-ca-cert', { metadata: { labels: { 'strimzi.io/kind': 'Kafka', 'strimzi.io/cluster': 'kafka' } }, data: { 'ca.crt': 'eA==' } });
    assert.deepEqual(await judged(), [
      'ok Kafka: Secret kafka-cluster/kafka-clients-ca-cert has ca.crt', 'fault Kafka: there is no Secret kafka-cluster/kafka-clients-ca',
      'ok east: Secret kafka-bridge/user has user.crt and user.key', 'fault west: there is no Secret kafka-bridge/user',
    ]);
    two.west.objects.set(path, { data: { 'user.crt': 'eA==' } });
    assert.equal((await judged())[3], 'fault west: Secret kafka-bridge/user has no entry user.key; it has: user.crt');
  });

  it('are not needed where bridges do not say who they are', async () => {
    assert.deepEqual(await judgeClientSecrets(await two.look()), []);
  });
});
