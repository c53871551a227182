/** What everyone in the sandbox must agree on about one cluster; all addresses are inside the sandbox's tree. */
export interface ClusterInfo {
  /** Also the kube context, the TSB cluster and the prefix of its node's name. */
  readonly name: string;
  /** 1 for kafka, 2 for central, regions from 3; every address range is derived from it. */
  readonly index: number;
  readonly role: 'kafka' | 'central' | 'region';
  readonly region: string;
  readonly zone: string;
  readonly podCidr: string;
  readonly serviceCidr: string;
  readonly loadBalancerCidr: string;
  /** The cluster's bridge: its node's address and its pods' default gateway. */
  readonly nodeIp: string;
  /** `https://host:port` of its API server. */
  readonly apiServer: string;
}

/** The address ranges leave room for this many regions (third octet 10+c, 110+c, 210+c with c <= 45). */
export const maxRegions = 43;

const compass = ['east', 'west', 'north', 'south'];

/** The sandbox's clusters for a number of bridge regions: kafka, central, then the regions. */
export function planClusters(regions: number): ClusterInfo[] {
  return [
    plan('kafka', 1, 'kafka', 'us-central1-a'),
    plan('central', 2, 'central', 'us-central1-b'),
    ...Array.from({ length: regions }, (_, i) => {
      const name = compass[i] ?? `region${i + 1}`;
      return plan(name, i + 3, 'region', `us-${name}1-a`);
    }),
  ];
}

/** Where etcd listens; its own address, as no cluster has the index 0. */
export const etcdIp = '10.10.0.1';

/** The address of a cluster's API server in its own network namespace. */
export function apiServerIp(cluster: ClusterInfo): string {
  return `10.${10 + cluster.index}.0.2`;
}

/** The first address of the cluster's Services, which Kubernetes gives to `kubernetes.default`. */
export function kubernetesServiceIp(cluster: ClusterInfo): string {
  return `10.${110 + cluster.index}.0.1`;
}

function plan(name: string, index: number, role: ClusterInfo['role'], zone: string): ClusterInfo {
  return {
    name, index, role, zone,
    region: zone.slice(0, zone.lastIndexOf('-')),
    podCidr: `10.${10 + index}.0.0/16`,
    serviceCidr: `10.${110 + index}.0.0/16`,
    loadBalancerCidr: `10.${210 + index}.0.0/16`,
    nodeIp: `10.${10 + index}.0.1`,
    apiServer: `https://10.${10 + index}.0.2:6443`,
  };
}
