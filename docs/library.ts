import { Environment, UserError } from 'kafka-bridge-failover';
import type { DrillEvent, EngineProgress } from 'kafka-bridge-failover';

/** Brings stack `prod` up and drills it. @returns the drill's exit code, or `busy` where another operation has the stack */
export async function upAndDrill(signal: AbortSignal, tell: (event: EngineProgress | DrillEvent) => void): Promise<number | 'busy'> {
  const environment = await Environment.open({ stack: 'prod' });
  try {
    const { changes } = await environment.up({ signal, onEvent: tell });
    console.log('changed:', changes);
    console.log('clients call', (await environment.outputs({ signal }))['url']);
    const { report, exitCode } = await environment.drill({
      fault: 'bridge-kill', region: 'east', rate: 100, durationSeconds: 30, objectives: ['produce.blackoutMs<=150'],
      reportDir: `reports/${new Date().toISOString()}`, signal, onEvent: tell,
    });
    console.log(report.verdict, 'not met:', report.objectives.filter(({ met }) => !met).map(({ name }) => name));
    return exitCode;
  } catch (error) {
    if (error instanceof UserError && error.code === 'locked') return 'busy';
    throw error;
  }
}

/** Removes everything again, without clusters that are gone for good. */
export async function removeAll(signal: AbortSignal): Promise<void> {
  const environment = await Environment.open({ stack: 'prod' });
  const { orphans, orphanFile } = await environment.destroy({ abandonUnreachable: true, signal });
  if (orphans.length > 0) console.log(`${orphans.length} objects are left behind, which ${orphanFile} remembers`);
}
