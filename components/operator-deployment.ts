/** An operator's Deployment, as far as it says what the operator is. */
export interface OperatorDeployment {
  readonly metadata?: { readonly namespace?: string };
  readonly spec?: {
    readonly template?: {
      readonly metadata?: { readonly annotations?: Readonly<Record<string, string>> };
      readonly spec?: { readonly containers?: readonly { readonly image?: string; readonly env?: readonly Variable[] }[] };
    };
  };
}

interface Variable {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: { readonly fieldRef?: { readonly fieldPath?: string } };
}

export function imageOf(deployment: OperatorDeployment | undefined): string | undefined {
  return deployment?.spec?.template?.spec?.containers?.[0]?.image;
}

/** The namespaces that a Strimzi watches; undefined where it watches all, and where its Deployment does not say. */
export function watchedBy({ metadata, spec }: OperatorDeployment): string[] | undefined {
  const variable = spec?.template?.spec?.containers?.[0]?.env?.find(({ name }) => name === 'STRIMZI_NAMESPACE');
  const field = variable?.valueFrom?.fieldRef?.fieldPath;
  const said = field === 'metadata.namespace' ? metadata?.namespace
    // As the Operator Lifecycle Manager says it.
    : field === "metadata.annotations['olm.targetNamespaces']" ? spec?.template?.metadata?.annotations?.['olm.targetNamespaces']
    : variable?.value;
  const names = (said ?? '').split(',').map((name) => name.trim()).filter((name) => name !== '');
  return names.length === 0 || names.includes('*') ? undefined : names;
}

/** How one is made to watch more. */
export const watchMore = "Have it watch them: watchAnyNamespace: true, or watchNamespaces with them, among its chart's values; with the Operator Lifecycle Manager, an OperatorGroup without targetNamespaces.";
