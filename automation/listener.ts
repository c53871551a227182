/**
 * A caller's listener as an operation tells it events. What it throws is its own affair and never reaches the operation, whose result it must not hide:
 * it is told nothing more, and the process warns of it once. An async listener's rejection counts the same, as it would end the process.
 */
export function heard<E>(onEvent: ((event: E) => void) | undefined): (event: E) => void {
  let listener = onEvent;
  const dismiss = (error: unknown): void => {
    if (listener === undefined) return;
    listener = undefined;
    process.emitWarning(`An onEvent listener threw and is told nothing more; its operation goes on: ${error instanceof Error ? error.stack ?? error.message : String(error)}`, 'ListenerWarning');
  };
  return (event) => {
    try {
      const answer: unknown = listener?.(event);
      if (answer instanceof Promise) answer.catch(dismiss);
    } catch (error) {
      dismiss(error);
    }
  };
}
