/** Whether a kubeconfig is given as text, not as the path of its file. */
export function isText(kubeconfig: string): boolean {
  return /^\s*[{]|\n/.test(kubeconfig);
}
