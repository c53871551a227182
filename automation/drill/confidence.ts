/**
 * What so many runs can say about runs to come, without assuming how their figures are spread. A reader can check each by hand or with any
 * statistics program; docs/verdict.md has the formulas and where they come from.
 */

const level = 0.95;

/**
 * The largest share of failures (0 to 1) with which `failures` or fewer of `runs` would still be seen in 5 % of cases: the upper bound of Clopper and Pearson.
 * Without failures it is 1 - 0.05^(1/n). 1 without runs.
 */
export function failureBound(runs: number, failures: number): number {
  if (failures >= runs) return 1;
  if (failures === 0) return 1 - (1 - level) ** (1 / runs);
  let low = failures / runs;
  let high = 1;
  for (let i = 0; i < 60; i += 1) {
    const middle = (low + high) / 2;
    if (atMost(failures, runs, middle) > 1 - level) low = middle;
    else high = middle;
  }
  return high;
}

/**
 * Interval between two of the sorted values that holds the median of all runs to come with at least 95 % confidence: the j-th smallest and the j-th
 * largest, for the largest j with P(Binomial(n, 1/2) < j) <= 2.5 %. Undefined with fewer than 6 values, which say too little.
 */
export function medianInterval(sorted: readonly number[]): { from: number; to: number; confidence: number } | undefined {
  const n = sorted.length;
  let j = 0;
  while (j < n && atMost(j, n, 0.5) <= (1 - level) / 2) j += 1;
  const [from, to] = [sorted[j - 1], sorted[n - j]];
  return j === 0 || from === undefined || to === undefined ? undefined : { from, to, confidence: 1 - 2 * atMost(j - 1, n, 0.5) };
}

/** The share of runs to come (0 to 1) that stay at or below the worst of `runs`, with 95 % confidence: 0.05^(1/n). */
export function shareBelowWorst(runs: number): number {
  return (1 - level) ** (1 / runs);
}

/** Of an even number of values the mean of the two in the middle. Of none undefined. */
export function median(sorted: readonly number[]): number | undefined {
  const [low, high] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
  return low === undefined || high === undefined ? undefined : (low + high) / 2;
}

/** P(Binomial(n, p) <= k). */
function atMost(k: number, n: number, p: number): number {
  // In logarithms: of more than a thousand runs the first terms are too small for a number.
  let logTerm = n * Math.log1p(-p);
  let sum = Math.exp(logTerm);
  for (let i = 1; i <= k; i += 1) {
    logTerm += Math.log((n - i + 1) / i) + Math.log(p) - Math.log1p(-p);
    sum += Math.exp(logTerm);
  }
  return sum;
}
