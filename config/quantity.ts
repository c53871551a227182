const factors: Readonly<Record<string, number>> = {
  m: 0.001, k: 1e3, M: 1e6, G: 1e9, T: 1e12, P: 1e15, E: 1e18,
  Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40, Pi: 2 ** 50, Ei: 2 ** 60,
};

/** A Kubernetes quantity as the settings allow it (`500m`, `1.5Gi`, `2e9`), as a number; NaN for anything else. */
export function amountOf(quantity: string): number {
  const [, digits = '', unit = ''] = /^((?:\d+(?:\.\d+)?|\.\d+)(?:e\d+)?)([a-zA-Z]*)$/.exec(quantity) ?? [];
  return digits === '' ? Number.NaN : Number(digits) * (unit === '' ? 1 : factors[unit] ?? Number.NaN);
}
