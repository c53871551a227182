import { imageOf, type OperatorDeployment } from '../../components/operator-deployment.ts';
import { shellWord } from '../../config/shell-word.ts';
import { imageVersion } from '../../config/versions.ts';
import type { ApiServer } from './apiServer.ts';

export interface Deployment extends OperatorDeployment {
  readonly metadata: { readonly name: string; readonly namespace: string; readonly generation?: number };
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string; readonly message?: string }[] };
}

export async function deploymentsIn(api: ApiServer, namespaces: readonly string[]): Promise<Deployment[]> {
  return (await Promise.all(namespaces.map((namespace) => api.list<Deployment>(`/apis/apps/v1/namespaces/${namespace}/deployments`)))).flat();
}

export function isAvailable({ status }: Deployment): boolean {
  return status?.conditions?.some(({ type, status: is }) => type === 'Available' && is === 'True') === true;
}

export function unavailable(deployment: Deployment): string {
  const said = deployment.status?.conditions?.find(({ type, status }) => type === 'Available' && status !== 'True')?.message;
  return `${nameOf(deployment)} is not available${said === undefined ? '' : `: ${said}`}`;
}

export function nameOf(deployment: Deployment): string {
  const version = imageVersion(imageOf(deployment));
  return `${deployment.metadata.namespace}/${deployment.metadata.name}${version === undefined ? '' : ` ${version}`}`;
}

export function seeDeployment(context: string, { metadata }: Deployment): string {
  return `See: kubectl --context ${shellWord(context)} -n ${metadata.namespace} describe deployment ${metadata.name}`;
}
