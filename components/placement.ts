import * as pulumi from '@pulumi/pulumi';

/**
 * Says in the state which cluster a component is in. The component's own outputs come to the state only when all of it is made, and a run that fails before leaves none of them.
 */
export class Placement extends pulumi.ComponentResource {
  /** @param cluster its context, known when something of the component is there */
  constructor(component: string, cluster: pulumi.Output<string>, parent: pulumi.Resource) {
    super(placementType, placementOf(component), {}, { parent });
    this.registerOutputs({ cluster });
  }
}

export const placementType = 'kbf:index:Placement';

/** Its name in the program, by that of the component. */
export function placementOf(component: string): string {
  return `${component}-placement`;
}
