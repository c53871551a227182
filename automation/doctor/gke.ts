import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { execa } from 'execa';

import type { GcpConfiguration } from '../../config/schema.ts';
import { firstLineOf } from '../../errors.ts';
import { Check, type Finding } from './finding.ts';
import { findProgram } from './programs.ts';

const limitMs = 30_000;

/** The kubeconfig of a GKE cluster, as text; or why there is none. The program asks Google Cloud by Pulumi, and here gcloud does it, which needs no engine. A signal ends it. */
export async function kubeconfigFromGoogle(context: string, { project, clusters }: GcpConfiguration, signal?: AbortSignal): Promise<string | Finding> {
  const check = new Check('kubeconfig', context);
  const wanted = clusters[context];
  if (wanted === undefined) return check.fault('no kubeconfig is named for it', { remedy: 'Set kubeconfig, or put the context into gcp.clusters.' });
  const { name, location } = wanted;
  if (await findProgram('gke-gcloud-auth-plugin') === undefined) {
    return check.fault('gke-gcloud-auth-plugin, which gets credentials for GKE, is not on PATH', { remedy: 'gcloud components install gke-gcloud-auth-plugin' });
  }
  if (await findProgram('gcloud') === undefined) return check.unchecked(`the address of GKE cluster ${name} is known to Google Cloud, and gcloud is not on PATH`);
  const directory = await mkdtemp(join(tmpdir(), 'kbf-gke-'));
  const file = join(directory, 'kubeconfig');
  try {
    await execa('gcloud', ['container', 'clusters', 'get-credentials', name, '--location', location, '--project', project], { env: { KUBECONFIG: file }, timeout: limitMs, ...(signal === undefined ? {} : { cancelSignal: signal }) });
    const text = await readFile(file, 'utf8');
    // gcloud names the context in its own way.
    return text.replaceAll(`gke_${project}_${location}_${name}`, context);
  } catch (error) {
    const { stderr } = error as { stderr?: string };
    return check.fault(`GKE cluster ${name} in ${location} of project ${project}: ${firstLineOf(stderr === undefined || stderr === '' ? error : stderr)}`, { remedy: 'Is it there, and are you logged in (gcloud auth login)?' });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
