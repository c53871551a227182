import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

import * as k8s from '@pulumi/kubernetes';
import * as pulumi from '@pulumi/pulumi';

import type { PodSecurity } from '../config/pod-security.ts';
import type { GeneratorsConfiguration } from '../config/schema.ts';
import type { Cluster } from './cluster.ts';
import { isHostName } from './gateway.ts';
import { ownNamespace } from './own-namespace.ts';
import { podSecurity } from './pod-security.ts';
import type { Resolved } from './tier1-failover.ts';

export interface TrafficGeneratorsArgs {
  readonly cluster: Cluster;
  readonly settings: GeneratorsConfiguration;
  /** Whether their namespace is there before the program. */
  readonly givenNamespace: boolean;
  /** What they call. */
  readonly url: pulumi.Input<string>;
  /** PEM that they have to trust; empty where they need not. */
  readonly caCertificate: pulumi.Input<string>;
  /** Host names and where they are, for pods to know; undefined where DNS has them. */
  readonly resolve: pulumi.Output<Resolved[]> | undefined;
}

/** The walk-through's traffic, to look at: a producer, and two consumers of one group, each a pod of its own. */
export class TrafficGenerators extends pulumi.ComponentResource {
  readonly namespace: pulumi.Output<string>;
  /** Names of the Deployments. */
  readonly deployments: pulumi.Output<string[]>;

  constructor(name: string, args: TrafficGeneratorsArgs, opts: pulumi.ComponentResourceOptions = {}) {
    super('kbf:index:TrafficGenerators', name, {}, { ...opts, provider: args.cluster.provider });

    const namespace = ownNamespace(name, { name: args.settings.namespace, cluster: args.cluster.name, given: args.givenNamespace }, { parent: this });
    const data = { [scriptFile]: script, [caFile]: args.caCertificate };
    const files = new k8s.core.v1.ConfigMap(`${name}-script`, { metadata: { name: 'generator', namespace }, data }, { parent: this });
    const { topic, intervalMs } = args.settings;
    const roles = {
      producer: { ROLE: 'producer', TOPIC: topic, INTERVAL_MS: String(intervalMs) },
      consumer1: { ROLE: 'consumer', TOPIC: topic, GROUP: group },
      consumer2: { ROLE: 'consumer', TOPIC: topic, GROUP: group },
    };
    const aliases = args.resolve?.apply((resolve) => hostAliases(resolve, args.cluster.name));
    const security = podSecurity(args.cluster);
    const made = Object.entries(roles).map(([role, env]) => deployment(`${name}-${role}`, { args, namespace, aliases, security, role, env }, { parent: this, dependsOn: [files] }));

    this.namespace = namespace;
    this.deployments = pulumi.all(made.map(({ metadata }) => metadata.name));
    this.registerOutputs({ cluster: args.cluster.name, namespace: this.namespace, deployments: this.deployments });
  }
}

const scriptFile = 'generator.mjs';
const caFile = 'ca.crt';
const directory = '/etc/generator';
/** Consumers of one group share the partitions of the topic. */
const group = 'traffic-generators';

const script = readFileSync(new URL('generator/generator.mjs', import.meta.url), 'utf8');

interface Generator {
  readonly args: TrafficGeneratorsArgs;
  readonly namespace: pulumi.Output<string>;
  readonly aliases: pulumi.Output<HostAlias[]> | undefined;
  readonly security: pulumi.Output<PodSecurity>;
  readonly role: string;
  readonly env: Readonly<Record<string, string>>;
}

function deployment(name: string, { args, namespace, aliases, security, role, env }: Generator, opts: pulumi.CustomResourceOptions): k8s.apps.v1.Deployment {
  const { url, caCertificate, settings: { image } } = args;
  const labels = { app: role };
  const trust = pulumi.output(caCertificate).apply((ca) => (ca === '' ? [] : [{ name: 'NODE_EXTRA_CA_CERTS', value: `${directory}/${caFile}` }]));
  const variables = pulumi.all([trust, url]).apply(([trusted, called]) => [...Object.entries({ ...env, URL: called }).map(([key, value]) => ({ name: key, value })), ...trusted]);
  const contents = pulumi.output(caCertificate).apply((ca) => createHash('sha256').update(script).update(ca).digest('hex').slice(0, 16));
  return new k8s.apps.v1.Deployment(
    name,
    {
      metadata: { name: role, namespace, labels },
      spec: {
        replicas: 1,
        selector: { matchLabels: labels },
        // Two of a kind would only count double.
        strategy: { type: 'Recreate' },
        template: {
          // A pod reads its files once: other files make another pod.
          metadata: { labels, annotations: { 'kafka-bridge-failover/files': contents } },
          spec: {
            terminationGracePeriodSeconds: 10,
            automountServiceAccountToken: false,
            securityContext: security.pod,
            ...(aliases === undefined ? {} : { hostAliases: aliases }),
            containers: [{
              name: 'generator',
              image,
              command: ['node', `${directory}/${scriptFile}`],
              env: variables,
              // A namespace with a quota refuses pods that ask for nothing.
              resources: { requests: { cpu: '20m', memory: '64Mi' } },
              securityContext: security.container,
              volumeMounts: [{ name: 'files', mountPath: directory, readOnly: true }],
            }],
            volumes: [{ name: 'files', configMap: { name: 'generator' } }],
          },
        },
      },
    },
    opts,
  );
}

interface HostAlias {
  readonly ip: string;
  readonly hostnames: string[];
}

/** A pod can be told addresses, not names: where a load balancer has only a name it needs DNS, which nobody may have set up. */
async function hostAliases(resolve: readonly Resolved[], cluster: string): Promise<HostAlias[]> {
  const addresses = [...new Set(resolve.map(({ address }) => address))];
  const at = (where: string) => resolve.filter(({ address }) => address === where).map(({ name }) => name);
  for (const address of addresses.filter(isHostName)) {
    await pulumi.log.warn(
      `generators: tier1's address is a host name, ${address}, and pods can be told IP addresses only: without DNS those in cluster ${cluster} do not find ${at(address).join(', ')}.\n` +
      `Make records for ${address}, set tier1.dns, or give tier1 an IP address (tier1.service.address).`,
    );
  }
  return addresses.filter((address) => !isHostName(address)).map((ip) => ({ ip, hostnames: at(ip) }));
}
