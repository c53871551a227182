/** What settings say of an operator, as far as it can be read. */
interface Settings<Namespace> {
  readonly install: boolean;
  readonly namespace: Namespace;
  readonly given: Readonly<Record<string, { readonly namespace?: Namespace } | undefined>>;
}

/** Whether the program installs an operator in a cluster, and where it is there. */
export function operatorIn<Namespace>({ install, namespace, given }: Settings<Namespace>, context: string): { install: boolean; namespace: Namespace } {
  const there = Object.hasOwn(given, context) ? given[context] : undefined;
  return there === undefined ? { install, namespace } : { install: false, namespace: there.namespace ?? namespace };
}
