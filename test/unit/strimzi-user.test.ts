import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { operator } from '../../sandbox/operators/strimzi/addon.ts';
import { issueAuthority } from '../../sandbox/operators/strimzi/certificates.ts';
import type { KafkaUser, UserSpec } from '../../sandbox/operators/strimzi/model.ts';
import type { Outcome } from '../../sandbox/operators/strimzi/reconciler.ts';
import { saltedPassword } from '../../sandbox/operators/strimzi/scram.ts';
import { reconcileUser, usersWithPassword } from '../../sandbox/operators/strimzi/user.ts';
import { checkStrimziCrds } from '../../sandbox/toolchain/crds.ts';
import { clusterOf, kafka, secret, textIn } from './strimzi-fixtures.ts';

const user = (authentication: UserSpec['authentication'], name = 'one'): KafkaUser => ({
  apiVersion: 'kafka.strimzi.io/v1', kind: 'KafkaUser', metadata: { name, namespace: 'ns', uid: 'u', resourceVersion: '1', labels: { 'strimzi.io/cluster': 'kafka', team: 'a' } },
  spec: authentication === undefined ? {} : { authentication },
});
const obeyed = { 'kafkas/kafka': kafka(({ spec }) => { spec.entityOperator = { userOperator: {} }; }) };
const fromSecret: UserSpec['authentication'] = { type: 'scram-sha-512', password: { valueFrom: { secretKeyRef: { name: 'mine', key: 'pw' } } } };

/** One pass over a user, and what Kafka was told of passwords. */
async function pass(resource: KafkaUser, objects: Record<string, object> = {}, { cluster, has } = clusterOf({ ...obeyed, ...objects })): Promise<{ outcome: Outcome; told: unknown[][]; has: typeof has }> {
  const told: unknown[][] = [];
  const outcome = await reconcileUser(cluster, resource, ({ host, port }, ...of) => {
    told.push([`${host}:${String(port)}`, ...of]);
    return Promise.resolve();
  });
  return { outcome, told, has };
}

function failure({ outcome }: { outcome: Outcome }): string {
  assert.ok(outcome.state === 'failed');
  return `${outcome.failure.reason}: ${outcome.failure.message}`;
}

describe('strimzi: a KafkaUser with a password', () => {
  it('gets one, in Kafka and in a Secret of its name, which goes with it', async () => {
    const { outcome, told, has } = await pass(user({ type: 'scram-sha-512' }));
    const made = has('secrets/one');
    const password = textIn(made, 'password');
    assert.match(password, /^[A-Za-z0-9]{32}$/);
    assert.equal(textIn(made, 'sasl.jaas.config'), `org.apache.kafka.common.security.scram.ScramLoginModule required username="one" password="${password}";`);
    assert.deepEqual(told, [['kafka-kafka-bootstrap.ns.svc:9091', 'one', password]]);
    assert.deepEqual([outcome.state, outcome.fields], ['ready', { username: 'one', secret: 'one' }]);
    assert.deepEqual(made.metadata.ownerReferences, [{ apiVersion: 'kafka.strimzi.io/v1', kind: 'KafkaUser', name: 'one', uid: 'u', controller: false, blockOwnerDeletion: false }]);
    assert.deepEqual([made.metadata.labels?.['strimzi.io/kind'], made.metadata.labels?.['strimzi.io/cluster'], made.metadata.labels?.['team'], made.metadata.labels?.['app.kubernetes.io/managed-by']], ['KafkaUser', 'kafka', 'a', 'strimzi-user-operator']);
  });

  it('keeps the one that it has', async () => {
    assert.equal((await pass(user({ type: 'scram-sha-512' }), { 'secrets/one': secret({ password: 'old' }) })).told[0]?.[2], 'old');
  });

  it('gets the person\'s', async () => {
    const { told, has } = await pass(user(fromSecret), { 'secrets/mine': secret({ pw: 'given' }), 'secrets/one': secret({ password: 'old' }) });
    assert.deepEqual([told[0]?.[2], textIn(has('secrets/one'), 'password')], ['given', 'given']);
  });

  const missing: [string, Record<string, object>, string][] = [
    ['Secret', {}, 'InvalidResourceException: Secret mine in namespace ns not found'],
    ['key', { 'secrets/mine': secret({ other: 'x' }) }, 'InvalidResourceException: Secret mine does not contain the key pw with requested user password.'],
    ['content', { 'secrets/mine': secret({ pw: '' }) }, 'InvalidResourceException: The requested user password is empty.'],
  ];
  for (const [what, objects, message] of missing) {
    it(`is not ready without the person's ${what}, and Kafka is told nothing`, async () => {
      const made = await pass(user(fromSecret), objects);
      assert.deepEqual([failure(made), made.told], [message, []]);
    });
  }

  it('is not ready when Kafka does not take it, in Kafka\'s words', async () => {
    const { cluster } = clusterOf(obeyed);
    const outcome = await reconcileUser(cluster, user({ type: 'scram-sha-512' }), () => Promise.reject(new Error('no')));
    assert.equal(failure({ outcome }), 'KafkaError: no');
  });

  it('is known to Kafka by what SCRAM makes of it, which is PBKDF2 by SHA-512 and 4096 rounds', async () => {
    assert.equal((await saltedPassword('password', Buffer.from('salt'))).toString('hex'), 'd197b1b33db0143e018b12f3d1d1479e6cdebdcc97c5c0f87f6902e072f457b5143f30602641b3d55cd335988cb36b84376060ecd532e039b742a239434af2d5');
  });
});

describe('strimzi: a KafkaUser with a certificate', () => {
  const authority = async (): Promise<Record<string, object>> => {
    const { certificate, key } = await issueAuthority('clients-ca v0');
    return { 'secrets/kafka-clients-ca-cert': secret({ 'ca.crt': certificate }), 'secrets/kafka-clients-ca': secret({ 'ca.key': key }) };
  };

  it('gets one of the clients\' CA, in its subject its name alone, and no password', async () => {
    const ca = await authority();
    const { outcome, told, has } = await pass(user({ type: 'tls' }), { ...ca, 'secrets/one': secret({ password: 'old' }) });
    const made = has('secrets/one');
    assert.deepEqual([Object.keys(made.data ?? {}), outcome.state, outcome.fields, told[0]?.slice(1)], [['ca.crt', 'user.crt', 'user.key'], 'ready', { username: 'CN=one', secret: 'one' }, ['one', undefined]]);
    const certificate = new X509Certificate(textIn(made, 'user.crt'));
    assert.ok(certificate.verify(new X509Certificate(textIn(made, 'ca.crt')).publicKey) && certificate.checkPrivateKey(createPrivateKey(textIn(made, 'user.key'))));
    assert.equal(certificate.subject, 'CN=one');
  });

  it('keeps it, and gets another when the CA is another', async () => {
    const { has, outcome } = await pass(user({ type: 'tls' }), await authority());
    assert.equal(outcome.state, 'ready');
    const before = has('secrets/one');
    const again = await pass(user({ type: 'tls' }), { 'secrets/one': before, 'secrets/kafka-clients-ca-cert': has('secrets/kafka-clients-ca-cert'), 'secrets/kafka-clients-ca': has('secrets/kafka-clients-ca') });
    assert.equal(textIn(again.has('secrets/one'), 'user.crt'), textIn(before, 'user.crt'));
    const other = await pass(user({ type: 'tls' }), { 'secrets/one': before, ...await authority() });
    assert.notEqual(textIn(other.has('secrets/one'), 'user.crt'), textIn(before, 'user.crt'));
  });

  it('is not ready without the clients\' CA, or with too long a name', async () => {
    assert.equal(failure(await pass(user({ type: 'tls' }))), 'InvalidConfigurationException: Secret kafka-clients-ca-cert in namespace ns not found');
    assert.equal(failure(await pass(user({ type: 'tls' }), { 'secrets/kafka-clients-ca-cert': secret({ 'ca.crt': 'x' }), 'secrets/kafka-clients-ca': secret({ other: 'x' }) })), 'InvalidCertificateException: The Clients CA Key Secret is missing the ca.key file');
    assert.match(failure(await pass(user({ type: 'tls' }, 'a'.repeat(65)), await authority())), /^InvalidResourceException: Users with TLS client authentication .* only up to 64 characters long\.$/);
  });

  it('of somebody else\'s is a name alone', async () => {
    const { outcome, told, has } = await pass(user({ type: 'tls-external' }));
    assert.deepEqual([outcome.state, outcome.fields, told[0]?.slice(1)], ['ready', { username: 'CN=one' }, ['one', undefined]]);
    assert.throws(() => has('secrets/one'));
  });
});

describe('strimzi: a KafkaUser', () => {
  it('is not obeyed where its Kafka has no operator for users, or where it names none', async () => {
    assert.equal(failure(await pass(user({ type: 'scram-sha-512' }), { 'kafkas/kafka': kafka() })), 'InvalidResourceException: Kafka kafka has no spec.entityOperator.userOperator, so that nobody obeys its users');
    const nobodys = user({ type: 'scram-sha-512' });
    delete nobodys.metadata.labels;
    assert.match(failure(await pass(nobodys)), /strimzi\.io\/cluster/);
  });

  it('is what the operator has rights to: to see it, and to answer', () => {
    const { rules } = operator({ namespace: 'o', tag: '1.2.0' }).find(({ kind }) => kind === 'ClusterRole') as unknown as { rules: { resources: string[]; verbs: string[] }[] };
    const verbs = (resource: string): string[] => rules.filter(({ resources }) => resources.includes(resource)).flatMap((each) => each.verbs);
    assert.ok(['get', 'list', 'watch'].every((verb) => verbs('kafkausers').includes(verb)) && verbs('kafkausers/status').includes('patch'));
  });

  it('is among the definitions without which there is no sandbox', async () => {
    const home = mkdtempSync(join(tmpdir(), 'crds-'));
    writeFileSync(join(home, 'crds.yaml'), ['kafkas', 'kafkanodepools', 'kafkabridges', 'kafkatopics'].map((name) => `---\nmetadata: { name: ${name}.kafka.strimzi.io }\n`).join(''));
    await assert.rejects(checkStrimziCrds(home), /lacks kafkausers\.kafka\.strimzi\.io/);
    rmSync(home, { recursive: true });
  });

  it('is told what of it is not honoured: rights and quotas', async () => {
    const asked = user({ type: 'tls-external' });
    Object.assign(asked.spec, { authorization: { type: 'simple' }, quotas: { requestPercentage: 1 } });
    const { outcome: { state, warnings } } = await pass(asked);
    assert.deepEqual([state, warnings.map(({ reason, message }) => [reason, message])], ['ready', [['UnhonouredFields', 'This stand-in for the Strimzi operator does not honour: spec.authorization, spec.quotas']]]);
  });

  it('that goes leaves no password: those stay in a Kafka that its users there have', () => {
    const elsewhere = user({ type: 'scram-sha-512' }, 'elsewhere');
    elsewhere.metadata.namespace = 'other';
    const others = user({ type: 'scram-sha-512' }, 'others');
    others.metadata.labels = { 'strimzi.io/cluster': 'another' };
    assert.deepEqual([...usersWithPassword(kafka(), [user({ type: 'scram-sha-512' }), user({ type: 'tls' }, 'two'), elsewhere, others])], ['one']);
  });
});
