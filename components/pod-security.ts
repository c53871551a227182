import * as pulumi from '@pulumi/pulumi';

import { type PodSecurity, restricted, userGivingGroup } from '../config/pod-security.ts';
import type { Cluster } from './cluster.ts';
import { reasonOf } from './cluster-client.ts';
import { plainError } from './cluster-reader.ts';
import { within } from './within.ts';

/** As whom pods of the program's own run in a cluster. Where it is not asked, as when objects are rendered, it gives no users. */
export function podSecurity({ name, reader }: Cluster): pulumi.Output<PodSecurity> {
  const givesUsers = within(reader.served(userGivingGroup)).then((served) => served !== undefined && served.size > 0, async (error: unknown) => {
    const message = `Cluster ${name} could not be asked whether it gives pods their users, as OpenShift does: ${reasonOf(error)}`;
    // Whoever guesses may make pods that are refused.
    if (!pulumi.runtime.isDryRun()) throw plainError(message);
    await pulumi.log.warn(message);
    return false;
  });
  return pulumi.output(givesUsers.then(restricted));
}
