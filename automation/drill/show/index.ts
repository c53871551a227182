import { createHash } from 'node:crypto';
import path from 'node:path';
import type { Report } from '../report.ts';
import { renderHtml } from './html.ts';
import { renderJunit } from './junit.ts';
import { renderMarkdown } from './markdown.ts';

/** The page that a person opens. */
export function pageOf(directory: string): string {
  return path.join(directory, 'report.html');
}

/**
 * What lies beside a report.json of that content, by the name of its file. The page names the digest of report.json, so that a reader can see
 * that they belong together.
 */
export function shownFiles(report: Report, json: string): Record<string, string> {
  return {
    'report.md': renderMarkdown(report),
    'junit.xml': renderJunit(report),
    'report.html': renderHtml(report, createHash('sha256').update(json).digest('hex')),
  };
}
