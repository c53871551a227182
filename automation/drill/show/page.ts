import path from 'node:path';

/** The page that a person opens. Apart from what draws it, which is slow to load and not needed to name it. */
export function pageOf(directory: string): string {
  return path.join(directory, 'report.html');
}
