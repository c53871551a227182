import assert from 'node:assert/strict';

import fc from 'fast-check';

import { brokerHost, listenerService, regionGroup, regionHostname, serviceHost } from '../../config/names.ts';
import { nearest } from '../../config/near.ts';

describe('names', () => {
  it('are these, since running systems have them', () => {
    assert.equal(brokerHost(2, 'kafka.example'), 'broker-2.kafka.example');
    assert.equal(listenerService('kafka', 'external'), 'kafka-kafka-external-bootstrap');
    assert.equal(regionGroup('east'), 'bridges-east');
    assert.equal(regionHostname('east', 'bridge.example'), 'east.bridge.example');
    assert.equal(serviceHost('kafka-bridge-http', 'kafka-bridge'), 'kafka-bridge-http.kafka-bridge.svc.cluster.local');
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
