import { createLogUpdate } from 'log-update';
import { printable } from './printable.ts';

/** What a person watches while something runs. Each live line has a key; its text is asked for again as time goes on. */
export interface Progress {
  /** Shows or replaces the live line of `key`. */
  update(key: string, text: () => string): void;
  /** Ends the live line of `key`; `text`, where given, stays. */
  done(key: string, text?: string): void;
  /** A line that stays. */
  note(text: string): void;
  /** Ends all live lines for good; notes are still written. */
  close(): void;
}

/** The part of a stream that is needed here. */
export interface Output {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

const frameMs = 250;
const plainIntervalMs = 10_000;

/** Rewritten lines on a terminal, plain lines elsewhere. */
export function openProgress(output: Output & NodeJS.WritableStream): Progress {
  return output.isTTY === true && process.env['TERM'] !== 'dumb' ? terminalProgress(output) : plainProgress(output);
}

/** A live line is written when it is new and then every 10 s, so that a long silence still says what it waits for. */
export function plainProgress(output: Output, intervalMs = plainIntervalMs): Progress {
  const live = new Map<string, { text: () => string; writtenAt: number }>();
  const write = (text: string): void => { output.write(`${printable(text)}\n`); };
  const tick = setInterval(() => {
    for (const line of live.values()) {
      if (performance.now() - line.writtenAt < intervalMs) continue;
      line.writtenAt = performance.now();
      write(line.text());
    }
  }, Math.min(intervalMs, 1000));
  tick.unref();
  return {
    update(key, text) {
      const known = live.get(key);
      if (known) {
        known.text = text;
        return;
      }
      live.set(key, { text, writtenAt: performance.now() });
      write(text());
    },
    done(key, text) {
      live.delete(key);
      if (text !== undefined) write(text);
    },
    note: write,
    close() {
      clearInterval(tick);
      live.clear();
    },
  };
}

function terminalProgress(output: NodeJS.WritableStream): Progress {
  const live = new Map<string, () => string>();
  const screen = createLogUpdate(output, { showCursor: true });
  const draw = (): void => {
    if (live.size > 0) screen(printable([...live.values()].map((text) => text()).join('\n')));
  };
  const tick = setInterval(draw, frameMs);
  tick.unref();
  const keep = (text: string): void => {
    screen.clear();
    output.write(`${printable(text)}\n`);
    draw();
  };
  return {
    update(key, text) { live.set(key, text); },
    done(key, text) {
      live.delete(key);
      if (text !== undefined) keep(text);
    },
    note: keep,
    close() {
      clearInterval(tick);
      live.clear();
      screen.clear();
    },
  };
}

/** 4200 → `4.2 s`, 125000 → `2 min 5 s`. */
export function duration(ms: number): string {
  const seconds = ms / 1000;
  if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
  return `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`;
}
