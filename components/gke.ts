import { reasonOf } from './cluster-client.ts';
import { plainError } from './cluster-reader.ts';
import type { GcpConfiguration } from '../config/schema.ts';
import { gcpModule } from './gcp-package.ts';

interface GetClusterModule {
  getCluster(args: { project: string; name: string; location: string }): Promise<{ readonly endpoint: string; readonly masterAuths: readonly { readonly clusterCaCertificate: string }[] }>;
}

/**
 * The kubeconfig of a GKE cluster, as text. It holds no token: a plugin of Google's asks for one each time, with the account of whoever runs
 * the program, so that nothing secret enters the state and a destroy of next year still can.
 * @param context key of `gcp.clusters`, and name of the context
 * @throws pulumi.RunError if there is no such cluster, or it cannot be asked for
 */
export async function gkeKubeconfig(context: string, { project, clusters }: Pick<GcpConfiguration, 'project' | 'clusters'>): Promise<string> {
  const wanted = clusters[context];
  if (wanted === undefined) throw plainError(`context ${context} is in no kubeconfig and not in gcp.clusters`);
  const { name, location } = wanted;
  const where = `GKE cluster ${name} in ${location} of project ${project} (gcp.clusters.${context})`;
  const { getCluster } = gcpModule<GetClusterModule>('container/getCluster.js');
  const { endpoint, masterAuths } = await getCluster({ project, name, location }).catch((error: unknown) => {
    throw plainError(`${where} cannot be read: ${reasonOf(error)}\nIs it there, and are you logged in? gcloud auth application-default login`);
  });
  const authority = masterAuths[0]?.clusterCaCertificate;
  if (!endpoint || !authority) throw plainError(`${where} has no endpoint yet: it is being made, or it is not there.`);
  return kubeconfigText(context, endpoint, authority);
}

/** JSON is YAML. */
function kubeconfigText(context: string, endpoint: string, authority: string): string {
  const exec = {
    apiVersion: 'client.authentication.k8s.io/v1beta1',
    command: 'gke-gcloud-auth-plugin',
    installHint: 'Install gke-gcloud-auth-plugin: gcloud components install gke-gcloud-auth-plugin',
    interactiveMode: 'IfAvailable',
    provideClusterInfo: true,
  };
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: context, cluster: { server: `https://${endpoint}`, 'certificate-authority-data': authority } }],
    users: [{ name: context, user: { exec } }],
    contexts: [{ name: context, context: { cluster: context, user: context } }],
    'current-context': context,
  });
}
