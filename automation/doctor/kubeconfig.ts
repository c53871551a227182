import { readFile } from 'node:fs/promises';

import { KubeConfig, type User } from '@kubernetes/client-node';

import { nearest } from '../../config/near.ts';
import { firstLineOf } from '../../errors.ts';
import type { ClusterAddress } from '../clusterProbe.ts';
import { isText } from '../kubeconfigs.ts';
import { judgeEnding, until, validityOf } from './ending.ts';
import { Check, type Finding } from './finding.ts';
import { findProgram } from './programs.ts';

/** Whether a kubeconfig has what it takes to reach a cluster, without reaching for it. */
export async function judgeKubeconfig({ context, kubeconfig }: ClusterAddress): Promise<Finding> {
  const check = new Check('kubeconfig', context);
  const file = isText(kubeconfig) ? 'what Google Cloud gives' : kubeconfig;
  let config: KubeConfig;
  try {
    config = openKubeconfig(kubeconfig);
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'there is no such file' : firstLineOf(error);
    return check.fault(`${file}: ${why}`, { remedy: 'Name the file in the setting kubeconfig.' });
  }
  if (config.getContextObject(context) === null) {
    const names = config.getContexts().map(({ name }) => name).sort();
    const meant = nearest(context, names);
    return check.fault(`${file} has no context ${context}${meant === undefined ? '' : `; was ${meant} meant?`}`, { expected: names.length > 0 ? names.join(', ') : 'it has none' });
  }
  config.setCurrentContext(context);
  const [cluster, user] = [config.getCurrentCluster(), config.getCurrentUser()];
  if (cluster === null || user === null) return check.fault(`context ${context} of ${file} names a ${cluster === null ? 'cluster' : 'user'} that the file does not have`, { remedy: 'Complete the file.' });
  if (cluster.skipTLSVerify) return check.warning(`${file} does not check whether ${cluster.server} is the cluster (insecure-skip-tls-verify)`, { remedy: 'Put its certificate-authority-data there instead.' });
  return await judgeCredentials(check, file, user);
}

async function judgeCredentials(check: Check, file: string, user: User): Promise<Finding> {
  const exec = user.exec as { command?: string; installHint?: string } | undefined;
  if (exec?.command !== undefined) {
    const found = await findProgram(exec.command);
    if (found === undefined) return check.fault(`user ${user.name} of ${file} gets credentials from ${exec.command}, which is not on PATH`, { remedy: exec.installHint ?? `Install ${exec.command}.` });
    return check.ok(`${file}, user ${user.name}, credentials from ${found}`);
  }
  const pem = user.certData === undefined ? user.certFile && await readFile(user.certFile, 'utf8').catch(() => undefined) : Buffer.from(user.certData, 'base64');
  if (pem === undefined || pem === '') return check.ok(`${file}, user ${user.name}`);
  const validity = validityOf(pem);
  if (validity === undefined) return check.fault(`the client certificate of user ${user.name} in ${file} is none`, { remedy: 'Get the file anew.' });
  return judgeEnding(check, validity, { found: `${file}, user ${user.name}, client certificate ${until(validity)}`, remedy: 'Get the file anew from the cluster.' });
}

/** Reads a kubeconfig from its file, or from its text. */
function openKubeconfig(kubeconfig: string): KubeConfig {
  const config = new KubeConfig();
  if (isText(kubeconfig)) config.loadFromString(kubeconfig);
  else config.loadFromFile(kubeconfig);
  return config;
}
