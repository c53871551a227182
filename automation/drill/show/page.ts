import path from 'node:path';

/** The pages that a person opens. Apart from what draws them, which is slow to load and not needed to name them. */
export function pageOf(directory: string): string {
  return path.join(directory, 'report.html');
}

/** That of a series. */
export function seriesPageOf(directory: string): string {
  return path.join(directory, 'repeat.html');
}
