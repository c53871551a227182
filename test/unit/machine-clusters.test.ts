import assert from 'node:assert/strict';
import { maxRegions, planClusters } from '../../sandbox/machine/clusters.ts';

describe('planClusters', () => {
  it('plans kafka, central and the regions by their compass names, then by number', () => {
    assert.deepEqual(planClusters(5).map((c) => c.name), ['kafka', 'central', 'east', 'west', 'north', 'south', 'region5']);
  });

  it('gives a region an own locality, and kafka and central two zones of one', () => {
    const places = planClusters(2).map((c) => `${c.role} ${c.region}/${c.zone}`);
    assert.deepEqual(places, ['kafka us-central1/us-central1-a', 'central us-central1/us-central1-b', 'region us-east1/us-east1-a', 'region us-west1/us-west1-a']);
  });

  it('derives every address from the index', () => {
    assert.deepEqual(planClusters(1)[2], {
      name: 'east', role: 'region', region: 'us-east1', zone: 'us-east1-a',
      index: 3, podCidr: '10.13.0.0/16', serviceCidr: '10.113.0.0/16', loadBalancerCidr: '10.213.0.0/16',
      nodeIp: '10.13.0.1', apiServer: 'https://10.13.0.2:6443',
    });
  });

  it('has a valid address range of its own for every cluster of the largest sandbox', () => {
    const ranges = planClusters(maxRegions).flatMap((c) => [c.podCidr, c.serviceCidr, c.loadBalancerCidr]);
    assert.equal(new Set(ranges).size, ranges.length);
    assert.ok(ranges.every((range) => Number(range.split('.')[1]) <= 255));
  });
});
