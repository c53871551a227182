import { KubeConfig } from '@kubernetes/client-node';

/** Whether a kubeconfig is given as text, not as the path of its file. */
export function isText(kubeconfig: string): boolean {
  return /^\s*[{]|\n/.test(kubeconfig);
}

/** Reads a kubeconfig from its file, or from its text. */
export function openKubeconfig(kubeconfig: string): KubeConfig {
  const config = new KubeConfig();
  if (isText(kubeconfig)) config.loadFromString(kubeconfig);
  else config.loadFromFile(kubeconfig);
  return config;
}
