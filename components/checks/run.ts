import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';

import { failureText, type Look, type Problem } from './problem.ts';

interface Check {
  /** Loads what it needs and nothing else: a client of Kubernetes takes a second. */
  readonly look: () => Promise<Look<never>>;
  readonly seconds: number;
  readonly right: string;
}

/**
 * The process of a check, started by Pulumi: `run.ts <check>` with its input as JSON on standard input. It ends well as soon as all is right, and with
 * exit code 1 and what a person should look at when the time is over.
 */
const checks: Readonly<Record<string, Check>> = {
  brokers: { look: async () => (await import('./brokers.ts')).lookAtBrokers, seconds: 60, right: 'every broker answers by its advertised name, with a certificate that regions trust' },
  bridge: { look: async () => (await import('./bridge.ts')).lookAtBridge, seconds: 120, right: 'the bridge answers by the region’s gateway and reaches Kafka' },
  tier1: { look: async () => (await import('./tier1.ts')).lookAtTier1, seconds: 120, right: 'tier1 leads to every region' },
  sidecars: { look: async () => (await import('./sidecars.ts')).lookAtSidecars, seconds: 60, right: 'every bridge has its proxy' },
};

const pauseMs = 1_000;

const name = process.argv[2] ?? '';
const check = checks[name];
if (check === undefined) throw new Error(`there is no check ${JSON.stringify(name)}: ${Object.keys(checks).join(', ')}`);
const problems = await untilRight(await check.look(), JSON.parse(await text(process.stdin)) as never, check.seconds);
if (problems.length === 0) {
  console.log(check.right);
} else {
  console.error(failureText(`The check of ${name} failed for ${check.seconds} s:`, problems));
  process.exitCode = 1;
}

/** What was made a moment ago may need a moment. */
async function untilRight<Input>(look: Look<Input>, input: Input, seconds: number): Promise<Problem[]> {
  const deadline = performance.now() + seconds * 1_000;
  for (;;) {
    const found = await look(input);
    if (found.length === 0 || performance.now() > deadline) return found;
    await delay(pauseMs);
  }
}
