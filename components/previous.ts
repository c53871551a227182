import * as pulumi from '@pulumi/pulumi';

/** One resource as the last run left it. */
export interface PreviousResource {
  readonly outputs: Readonly<Record<string, unknown>>;
}

/** What the stack's state held when this run began: what is running, whatever the settings say now. */
export class Previous {
  readonly #resources: ReadonlyMap<string, PreviousResource>;

  /** @param resources by URN */
  constructor(resources: Readonly<Record<string, PreviousResource>>) {
    this.#resources = new Map(Object.entries(resources).map(([urn, resource]) => [urn.split('::').slice(2).join('::'), resource]));
  }

  /**
   * The outputs of a resource by its type and its name in the program; undefined where there was none.
   * @param type after those of its parents, as URNs say it (`kbf:index:Tier1Failover$kubernetes:core/v1:Namespace`): children of two may have one name
   */
  outputsOf(type: string, name: string): Readonly<Record<string, unknown>> | undefined {
    return this.#resources.get(key(type, name))?.outputs;
  }

  /** Names of all resources of a type. */
  names(type: string): string[] {
    const prefix = key(type, '');
    return [...this.#resources.keys()].filter((each) => each.startsWith(prefix)).map((each) => each.slice(prefix.length));
  }
}

/**
 * Asks the engine, which has the state anyway, so that plain `pulumi up` knows it as well as the driver does.
 * A StackReference would say the same, and add a resource of its own to every stack.
 */
export async function readPrevious(): Promise<Previous> {
  const stackName = `${pulumi.getOrganization()}/${pulumi.getProject()}/${pulumi.getStack()}`;
  const { outputs } = await pulumi.runtime.invoke('pulumi:pulumi:readStackResourceOutputs', { stackName }) as { outputs?: Record<string, PreviousResource> };
  return new Previous(outputs ?? {});
}

function key(type: string, name: string): string {
  return `${type}::${name}`;
}
