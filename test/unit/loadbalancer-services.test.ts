import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { writeInPlace } from '../../sandbox/agent/in-place.ts';
import { podHosts } from '../../sandbox/agent/pod-hosts.ts';
import type { Pod } from '../../sandbox/agent/types.ts';
import { BalancerAddresses } from '../../sandbox/loadbalancer/addresses.ts';
import { listenersOf, unhonoured } from '../../sandbox/loadbalancer/endpoints.ts';
import type { EndpointSlice, Service } from '../../sandbox/loadbalancer/endpoints.ts';
import { aliases, clusterNames, hostsText, publishedNames } from '../../sandbox/loadbalancer/host-names.ts';
import { Rewrite } from '../../sandbox/loadbalancer/rewrite.ts';

const service = (spec: object, annotations = {}): Service => ({ metadata: { name: 's', namespace: 'ns', uid: 'u', resourceVersion: '1', annotations }, spec });
const slice = (endpoints: object[], ports: object[] | null = [{ name: 'http', port: 8080 }]) => ({ metadata: { name: 'x', uid: 'u', resourceVersion: '1' }, addressType: 'IPv4', endpoints, ports }) as unknown as EndpointSlice;
const endpoint = (address: string, conditions: object = { ready: true }, more = {}) => ({ addresses: [address], conditions, ...more });
const http = { type: 'LoadBalancer', clusterIP: '10.113.0.9', ports: [{ name: 'http', port: 80, nodePort: 30080 }] };

describe('What a Service listens on', () => {
  const to = (...endpoints: object[]) => listenersOf(service(http), [slice(endpoints)], '10.13.0.1', '10.213.0.1');

  it('is its own, its load balancer\'s and its node\'s address, each leading to the ready endpoints', () => {
    const endpoints = [{ host: '10.13.1.1', port: 8080 }, { host: '10.13.1.2', port: 8080 }];
    assert.deepEqual(to(endpoint('10.13.1.2'), endpoint('10.13.1.1', {}), endpoint('10.13.1.3', { ready: false })), [
      { at: { host: '10.113.0.9', port: 80 }, endpoints },
      { at: { host: '10.213.0.1', port: 80 }, endpoints },
      { at: { host: '10.13.0.1', port: 30080 }, endpoints },
    ]);
  });

  it('leads to endpoints that end but still serve when none is ready', () => {
    const ending = endpoint('10.13.1.1', { ready: false, serving: true, terminating: true });
    assert.equal(to(ending, endpoint('10.13.1.3', { ready: false, serving: true }))[0]?.endpoints.length, 1);
    assert.deepEqual(to(ending, endpoint('10.13.1.2'))[0]?.endpoints, [{ host: '10.13.1.2', port: 8080 }]);
  });

  it('leads nowhere when a slice has no ports or the name is another', () => {
    assert.deepEqual(listenersOf(service(http), [slice([endpoint('10.13.1.1')], null), slice([endpoint('10.13.1.1')], [{ name: 'other', port: 1 }])], 'n', undefined)[0]?.endpoints, []);
  });

  it('is nothing for a headless Service', () => {
    assert.deepEqual(listenersOf(service({ clusterIP: 'None', ports: [{ port: 80 }] }), [], 'n', undefined), []);
  });

  it('is named when it cannot be', () => {
    assert.deepEqual(unhonoured(service({ ports: [{ port: 53, protocol: 'UDP' }], sessionAffinity: 'ClientIP', externalIPs: ['1.1.1.1'] })), ['ports[53].protocol UDP', 'sessionAffinity', 'externalIPs']);
  });
});

describe('Load balancer addresses', () => {
  it('stay with their Service over restarts, are given anew when it is gone, and differ', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'lb-'));
    const file = join(dir, 'f.json');
    const east = { name: 'east', loadBalancerCidr: '10.213.0.0/16' };
    try {
      const first = new BalancerAddresses(file);
      assert.deepEqual([first.of(east, 'a'), first.of(east, 'b'), first.of(east, 'a')], ['10.213.0.1', '10.213.0.2', '10.213.0.1']);
      const again = new BalancerAddresses(file);
      assert.equal(again.of(east, 'b'), '10.213.0.2');
      again.keepOnly(east, new Set(['b']));
      assert.equal(again.of(east, 'c'), '10.213.0.1');
      const all = Array.from({ length: 300 }, (_, i) => again.of({ name: 'w', loadBalancerCidr: '10.214.0.0/16' }, String(i)));
      assert.equal(new Set(all).size, 300);
      await writeFile(file, '{');
      assert.throws(() => new BalancerAddresses(file), /not readable as JSON/);
    } finally {
      await rm(dir, { recursive: true });
    }
  });
});

describe('Host names', () => {
  it('are those of cluster DNS', () => {
    assert.deepEqual(clusterNames(service(http), []), [{ address: '10.113.0.9', names: ['s.ns', 's.ns.svc', 's.ns.svc.cluster.local'] }]);
    const headless = clusterNames(service({ clusterIP: 'None' }), [slice([endpoint('10.13.1.1', { ready: true }, { hostname: 'p-0' }), endpoint('10.13.1.2', { ready: false })])]);
    assert.deepEqual(headless, [{ address: '10.13.1.1', names: ['p-0.s.ns', 'p-0.s.ns.svc', 'p-0.s.ns.svc.cluster.local', 's.ns', 's.ns.svc', 's.ns.svc.cluster.local'] }]);
  });

  it('of load balancers are those that ExternalDNS would publish', () => {
    const named = service(http, { 'external-dns.kubernetes.io/hostname': 'a.example, b.example.' });
    assert.deepEqual(publishedNames(named, '10.213.0.1', '10.13.0.1'), [{ address: '10.213.0.1', names: ['a.example', 'b.example'] }]);
    assert.deepEqual(publishedNames(named, undefined, '10.13.0.1'), []);
    assert.deepEqual(publishedNames(service({ ...http, type: 'NodePort' }, named.metadata.annotations), undefined, '10.13.0.1'), [{ address: '10.13.0.1', names: ['a.example', 'b.example'] }]);
    assert.deepEqual(publishedNames(service({ ...http, type: 'ClusterIP' }, named.metadata.annotations), '10.213.0.1', '10.13.0.1'), []);
  });

  it('follow an ExternalName to what is known', () => {
    assert.deepEqual(aliases(service({ type: 'ExternalName', externalName: 'a.example' }), [{ address: '1.2.3.4', names: ['a.example'] }])[0]?.address, '1.2.3.4');
  });

  it('make the same text in whatever order they come', () => {
    const [a, b] = [{ address: '1.1.1.1', names: ['a'] }, { address: '2.2.2.2', names: ['b'] }];
    assert.equal(hostsText([a, b, a]), hostsText([b, a]));
  });

  it('are written into the same file, which never ends within a line', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'hosts-'));
    const file = join(dir, 'hosts');
    try {
      await writeFile(file, 'a much longer text\nof two lines\n');
      const { ino } = await stat(file);
      writeInPlace(file, 'short\n');
      assert.equal((await stat(file)).ino, ino);
      assert.equal((await readFile(file, 'utf8')).trimEnd(), 'short');
      const { mtimeMs } = await stat(file);
      writeInPlace(file, 'short\n');
      assert.equal((await stat(file)).mtimeMs, mtimeMs, 'nothing is written when nothing changes');
    } finally {
      await rm(dir, { recursive: true });
    }
  });

  it('are written once for many changes, and again where they could not be', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'hosts-'));
    const file = join(dir, 'later', 'hosts');
    let tries = 0;
    const names = new Rewrite(() => { tries += 1; writeInPlace(file, 'text\n'); });
    try {
      for (let i = 0; i < 5; i++) names.changed();
      await delay(100);
      assert.equal(tries, 1);
      await mkdir(join(dir, 'later'));
      while (tries < 2) await delay(20);
      assert.equal(await readFile(file, 'utf8'), 'text\n');
      names.changed();
      while (tries < 3) await delay(5);
    } finally {
      await rm(dir, { recursive: true });
    }
  });

  it('of a pod begin with its own and know its namespace\'s Services by bare names', () => {
    const pod = { metadata: { namespace: 'ns' }, spec: { hostAliases: [{ ip: '9.9.9.9', hostnames: ['x'] }] } } as unknown as Pod;
    assert.equal(podHosts(pod, '10.13.1.1', 'p', '127.0.0.1\tlocalhost\n10.113.0.9\ts.ns s.ns.svc\n10.113.0.8\tt.other t.other.svc\n'),
      '9.9.9.9\tx\n10.13.1.1\tp\n127.0.0.1\tlocalhost\n10.113.0.9\ts.ns s.ns.svc s\n10.113.0.8\tt.other t.other.svc\n');
  });
});
