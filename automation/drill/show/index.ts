import { createHash } from 'node:crypto';
import type { Report } from '../report.ts';
import { renderHtml } from './html.ts';
import { renderJunit } from './junit.ts';
import { renderMarkdown } from './markdown.ts';

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
