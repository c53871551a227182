import { nearest } from '../../config/near.ts';
import { faultNames } from './faults/names.ts';
import { parseObjective } from './objective-text.ts';
import { range, wrongObjective } from './option-values.ts';
import type { WrittenStep } from './plan-file.ts';
import { windowFigures } from './window.ts';

/**
 * All that is wrong with the steps of a drill, one phrase each. Without `regions`, where the stack is not known yet, any name of a region is taken. A step that could not be read is
 * undefined: it may be one that breaks something.
 */
export function wrongSteps(steps: readonly (WrittenStep | undefined)[], regions?: readonly string[]): string[] {
  const one = steps.length === 1;
  const mayBreak = (step: WrittenStep | undefined): boolean => step === undefined || step.kind === 'do';
  return [
    ...(steps.some(mayBreak) ? [] : ['the plan breaks nothing: it has no step with do']),
    ...steps.flatMap((step, i) => {
      const wrong = step === undefined ? [] : wrongStep(step, { regions, expectsBefore: !steps.slice(0, i).some(mayBreak) });
      return one ? wrong : wrong.map((what) => `steps[${i}]: ${what}`);
    }),
  ];
}

function wrongStep(step: WrittenStep, { regions, expectsBefore }: { regions: readonly string[] | undefined; expectsBefore: boolean }): string[] {
  if (step.kind === 'wait') return range('wait', step.seconds, { least: 0, most: 86_400, unit: 's' });
  if (step.kind === 'expect') {
    const problems = wrongObjective(step.objective, regions);
    if (problems.length > 0) return problems;
    const { name } = parseObjective(step.objective, regions);
    const known: readonly string[] = windowFigures;
    return [
      ...(known.includes(name) ? [] : [`${name} is known only when a drill is over; a step can expect ${known.join(', ')}`]),
      ...(expectsBefore ? ['it expects something of a fault, and none came before it'] : []),
    ];
  }
  const { fault, region, forSeconds } = step;
  const near = nearest(fault, faultNames);
  return [
    ...((faultNames as readonly string[]).includes(fault) ? [] : [`fault ${fault} is unknown${near === undefined ? '' : `, did you mean ${near}`}; there is ${faultNames.join(', ')}`]),
    ...(region === undefined || regions?.includes(region) !== false ? [] : [`region ${region} is none of ${regions.join(', ')}`]),
    ...(forSeconds === undefined ? [] : range('for', forSeconds, { least: 0.1, most: 3600, unit: 's' })),
  ];
}
