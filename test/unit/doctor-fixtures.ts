import assert from 'node:assert/strict';

import { ApiServer } from '../../automation/doctor/apiServer.ts';
import type { Cluster } from '../../automation/doctor/clusters.ts';
import type { Finding } from '../../automation/doctor/finding.ts';
import type { Look } from '../../automation/doctor/look.ts';
import type { RenderedObject } from '../../automation/render/objects.ts';
import { parseConfiguration } from '../../config/configuration.ts';
import type { Configuration } from '../../config/schema.ts';
import { type FakeCluster, startFakeCluster } from '../fixtures/fake-cluster.ts';

/** Settings of two clusters: all parts are in east, and a region in each. */
export function configuration(change: object = {}): Configuration {
  return parseConfiguration({
    hostname: 'kafka.invalid', kubeconfig: '/nowhere/kubeconfig',
    kafka: { context: 'east', domain: 'kafka.invalid' },
    regions: [{ name: 'east', context: 'east', tsbCluster: 'east-1' }, { name: 'west', context: 'west', tsbCluster: 'west-1' }],
    tsb: { context: 'east', organization: 'tetrate', tenant: 'kafka' },
    tier1: { context: 'east', tsbCluster: 'east-1' },
    ...change,
  }, '/', 'unchecked');
}

/** Two clusters for each test of a block, new each time. */
export class TwoClusters {
  #all: readonly FakeCluster[] = [];

  constructor() {
    beforeEach(async () => { this.#all = await Promise.all(['east', 'west'].map((context) => startFakeCluster(context))); });
    afterEach(async () => { for (const cluster of this.#all) await cluster[Symbol.asyncDispose](); });
  }

  get east(): FakeCluster {
    return this.#of(0);
  }

  get west(): FakeCluster {
    return this.#of(1);
  }

  /** @param answering those that answer; default: both */
  async look(change: Partial<Look> = {}, answering: readonly FakeCluster[] = this.#all): Promise<Look> {
    const clusters = await Promise.all(this.#all.map(async (cluster): Promise<Cluster> => {
      const { context, kubeconfig } = cluster;
      return { context, kubeconfig, parts: [], regions: [context], skewMs: 0, api: answering.includes(cluster) ? await ApiServer.open({ context, kubeconfig }) : undefined };
    }));
    return { configuration: configuration(), clusters, objects: [], reads: [], isSandbox: false, ...change };
  }

  #of(index: number): FakeCluster {
    const cluster = this.#all[index];
    assert.ok(cluster);
    return cluster;
  }
}

/** An object that is to be in east. */
export function object(apiVersion: string, kind: string, change: Partial<RenderedObject> = {}): RenderedObject {
  return { folder: { context: 'east', namespace: 'ns' }, group: apiVersion.split('/')[0] ?? '', kind, name: 'a', content: { apiVersion, kind }, ...change };
}

/** `verdict subject: found`, for comparing. */
export function short(findings: readonly Finding[]): string[] {
  return findings.map(({ verdict, subject, found }) => `${verdict} ${subject}: ${found}`);
}
