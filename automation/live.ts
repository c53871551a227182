/** How events become lines that a person watches. */
import type { SandboxEvent } from '../sandbox/index.ts';
import type { ToolEvent } from '../sandbox/toolchain/index.ts';
import type { DrillEvent } from './drill/index.ts';
import { percentage } from './drill/show/digits.ts';
import { isClosingLine } from './engineEvents.ts';
import type { EngineProgress } from './engineEvents.ts';
import { duration } from './progress.ts';
import type { Progress } from './progress.ts';

/** One live line a tool that has to be fetched or built; a tool that was there already says nothing. */
export function showTools(progress: Progress): (event: ToolEvent) => void {
  const busy = new Set<string>();
  return ({ tool, phase, detail, elapsedMs, estimateMs }) => {
    const title = tool.padEnd(23);
    const more = detail === undefined ? '' : `  ${detail}`;
    if (phase === 'unavailable') progress.done(tool, detail ?? `${title} could not be had`);
    else if (phase === 'ready') progress.done(tool, busy.has(tool) ? `${title} ready in ${duration(elapsedMs)}${more}` : undefined);
    else if (phase === 'downloading' || phase === 'building') {
      busy.add(tool);
      const seen = performance.now() - elapsedMs;
      const estimate = estimateMs === undefined ? '' : ` of about ${duration(estimateMs)}`;
      progress.update(tool, () => `${title} ${phase} ${duration(performance.now() - seen)}${estimate}${more}`);
    }
  };
}

/** One line for the sandbox as a whole, and one that stays for each cluster. */
export function showSandbox(progress: Progress): (event: SandboxEvent) => void {
  return ({ phase, detail, elapsedMs }) => {
    const what = detail === undefined ? phase : `${phase} ${detail}`;
    if (phase === 'cluster') progress.note(`${what.padEnd(30)} up after ${duration(elapsedMs)}`);
    const seen = performance.now() - elapsedMs;
    progress.update('sandbox', () => `sandbox ${duration(performance.now() - seen)}: ${what}`);
  };
}

/** One live line a component, which names what it waits for. Warnings stay, and so do what the program says and the first line of each error: at the end all of it is told. */
export function showEngine(progress: Progress): { onEvent: (event: EngineProgress) => void; finish(): void } {
  const components = new Map<string, ComponentLine>();
  const told = new Set<string>();
  return {
    onEvent(event) {
      if (event.kind === 'notice') progress.note(event.text);
      else if (event.kind === 'message') {
        const note = noteOf(event);
        if (note !== undefined && !(event.severity === 'error' && told.has(note))) progress.note(note);
        if (note !== undefined) told.add(note);
      } else if (event.kind === 'resource') {
        const line = components.get(event.component) ?? new ComponentLine(event.component);
        components.set(event.component, line);
        // A component is done when its children are: it is nothing to wait for.
        if (event.component !== `${event.type} ${event.name}`) line.add(event);
        progress.update(event.component, () => line.text());
      }
    },
    finish() {
      for (const [component, line] of components) progress.done(component, line.text());
    },
  };
}

function noteOf({ severity, resource, text }: Extract<EngineProgress, { kind: 'message' }>): string | undefined {
  const of = resource === '' ? '' : `${resource}: `;
  if (severity === 'warning') return `warning: ${of}${text}`;
  // Of a resource's own there are many.
  if (severity === 'info') return resource === '' ? text : undefined;
  // Up to what it leads to: `1 error occurred:` says nothing.
  const [head = ''] = /^(?:.*:\n)*.*/.exec(text) ?? [];
  return isClosingLine(text) ? undefined : `error: ${of}${head.replaceAll(/\s*\n\s*/g, ' ')}`;
}

class ComponentLine {
  readonly #title: string;
  readonly #startedAt = performance.now();
  readonly #pending = new Map<string, { title: string; since: number }>();
  readonly #done = new Set<string>();
  #endedAt = performance.now();
  #failed = 0;

  constructor(title: string) {
    this.#title = title;
  }

  add({ urn, type, name, state }: Extract<EngineProgress, { kind: 'resource' }>): void {
    if (state === 'started') {
      this.#pending.set(urn, { title: `${type} ${name}`, since: performance.now() });
      return;
    }
    this.#pending.delete(urn);
    this.#endedAt = performance.now();
    if (state === 'failed') this.#failed += 1;
    else this.#done.add(urn);
  }

  text(): string {
    const waiting = [...this.#pending.values()].sort((a, b) => a.since - b.since);
    const oldest = waiting[0];
    const end = oldest === undefined ? this.#endedAt : performance.now();
    const rest = waiting.length > 1 ? ` and ${String(waiting.length - 1)} more` : '';
    return [
      `${this.#title.padEnd(30)} ${String(this.#done.size)} done`,
      ...(this.#failed > 0 ? [`${String(this.#failed)} failed`] : []),
      duration(end - this.#startedAt),
      ...(oldest === undefined ? [] : [`waiting ${duration(performance.now() - oldest.since)} for ${oldest.title}${rest}`]),
    ].join(', ');
  }
}

/** The line of a running drill; its phases stay. */
export function showDrill(progress: Progress): (event: DrillEvent) => void {
  return (event) => {
    if (event.kind === 'phase') {
      progress.note(`${duration(event.t).padStart(8)}  ${event.phase}${event.detail === undefined ? '' : `: ${event.detail}`}`);
      return;
    }
    const { t, rate, ok, failed, unknown, byRegion } = event;
    const shares = Object.entries(byRegion).map(([region, share]) => `${region} ${percentage(share)}`).join(', ');
    const line = `${duration(t).padStart(8)}  ${rate.toFixed(0)} records/s, ok ${String(ok)}, failed ${String(failed)}, unknown ${String(unknown)}${shares === '' ? '' : `; ${shares}`}`;
    progress.update('drill', () => line);
  };
}
