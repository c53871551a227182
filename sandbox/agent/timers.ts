/** The longest time that Node's timers know; they take a longer one for none at all. */
export const longestDelayMs = 2 ** 31 - 1;

/** Calls once, after any time however long. @returns What prevents that. */
export function after(ms: number, call: () => void): () => void {
  let timer: NodeJS.Timeout;
  const arm = (leftMs: number) => {
    timer = setTimeout(() => { if (leftMs > longestDelayMs) arm(leftMs - longestDelayMs); else call(); }, Math.min(Math.max(leftMs, 0), longestDelayMs));
  };
  arm(ms);
  return () => { clearTimeout(timer); };
}
