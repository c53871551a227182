import assert from 'node:assert/strict';

import fc from 'fast-check';

import { listenerHosts } from '../../config/listener-hosts.ts';
import { bridgeServices, brokerHost, listenerService, regionGroup, regionHostname, serviceHost } from '../../config/names.ts';
import { nearest } from '../../config/near.ts';

describe('names', () => {
  it('are these, since running systems have them', () => {
    assert.equal(brokerHost(2, 'kafka.example'), 'broker-2.kafka.example');
    assert.equal(listenerService('kafka', 'external'), 'kafka-kafka-external-bootstrap');
    assert.equal(regionGroup('east'), 'bridges-east');
    assert.equal(regionHostname('east', 'bridge.example'), 'east.bridge.example');
    assert.deepEqual(bridgeServices('kafka-bridge'), { shared: 'kafka-bridge-http', local: 'kafka-bridge-local' });
    assert.equal(serviceHost('kafka-bridge-http', 'kafka-bridge'), 'kafka-bridge-http.kafka-bridge.svc.cluster.local');
  });
});

describe('the names that brokers advertise', () => {
  const route = { name: 'external', type: 'route', port: 9094 } as const;
  const balancer = { name: 'west', type: 'loadbalancer', port: 9095 } as const;
  const nodes = { name: 'nodes', type: 'nodeport', port: 9096 } as const;
  const kafka = { name: 'openshift', namespace: 'kafka-cluster', domain: 'apps.example', brokers: 1, listeners: [route, balancer, nodes] };

  it('are what OpenShift calls a Route, of old without the listener’s name', () => {
    assert.deepEqual(listenerHosts(kafka, route), { bootstrap: 'openshift-kafka-bootstrap-kafka-cluster.apps.example', brokers: ['openshift-kafka-0-kafka-cluster.apps.example'] });
    assert.deepEqual(listenerHosts(kafka, { ...route, name: 'r' }), { bootstrap: 'openshift-kafka-r-bootstrap-kafka-cluster.apps.example', brokers: ['openshift-kafka-r-0-kafka-cluster.apps.example'] });
  });

  it('are ours on every other listener from outside, and differ between two', () => {
    assert.deepEqual(listenerHosts(kafka, balancer), { bootstrap: 'bootstrap.apps.example', brokers: ['broker-0.apps.example'] });
    assert.deepEqual(listenerHosts(kafka, nodes), { bootstrap: 'bootstrap-nodes.apps.example', brokers: ['broker-0-nodes.apps.example'] });
  });
});

describe('the nearest name', () => {
  it('is the name itself, whatever else there is', () => {
    fc.assert(fc.property(fc.stringMatching(/^[a-z]{1,12}$/), fc.array(fc.stringMatching(/^[a-z]{1,12}$/)), (name, others) => nearest(name, [...others, name]) === name));
  });

  it('is found over one swap, one missing and one wrong letter', () => {
    assert.equal(nearest('wset', ['east', 'west']), 'west');
    assert.equal(nearest('centrl', ['central', 'east']), 'central');
    assert.equal(nearest('kafkb', ['kafka', 'east']), 'kafka');
  });

  it('is none if nothing is close', () => {
    assert.equal(nearest('mars', ['central', 'east', 'west']), undefined);
    assert.equal(nearest('x', []), undefined);
  });
});
