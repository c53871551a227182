/**
 * Does it to each of them at once. Where one fails the others are waited for all the same, so that nothing is on its way any more when this rejects, with
 * the first failure.
 */
export async function together<T, R>(each: readonly T[], act: (one: T) => Promise<R>): Promise<R[]> {
  const settled = await Promise.allSettled(each.map(act));
  return settled.map((result) => {
    if (result.status === 'rejected') throw result.reason as Error;
    return result.value;
  });
}
