import type { Configuration } from '../config/schema.ts';
import { asRecord } from '../config/text.ts';
import type { Refusal } from './refusal.ts';
import { type Running, textOf, wasReady } from './running.ts';

type Tls = NonNullable<Configuration['tier1']['tls']>;
type Shown = { readonly source: Tls['source']; readonly secret: string | undefined };

const instead = 'The Secret that clients are shown would be written over at once, or deleted at the end: give tier1.tls.secret another name.';

/** What another source does to the Secret of tier1's certificate, where that keeps its name. Others than the program leave one as it is when they no longer fill it, and cert-manager fills one anew that the program took away. */
export function otherCertificate(running: Running, wanted: Tls | undefined): Refusal[] {
  const shown = shownBy(running);
  if (shown === undefined || wanted === undefined || shown.source === wanted.source || shown.secret !== wanted.secret) return [];
  return wanted.source !== 'cert-manager' && [shown.source, wanted.source].includes('self-signed') ? [{ path: 'tier1.tls.source', running: shown.source, wanted: wanted.source, instead }] : [];
}

function shownBy({ object }: Running): Shown | undefined {
  const written = object('Secret', 'tier1-tls');
  if (written !== undefined) return { source: 'self-signed', secret: written.name };
  const { http, externalServers } = object('Routes', 'tier1-routes')?.spec ?? {};
  const [server] = (http ?? externalServers ?? []) as readonly unknown[];
  const secret = textOf(asRecord(asRecord(server)['tls'])['secretName']);
  const issued = object('Certificate', 'tier1-certificate');
  // One that was never issued, before there were routes, is shown to nobody.
  if (issued !== undefined) return secret !== undefined || wasReady(issued) ? { source: 'cert-manager', secret: textOf(issued.spec['secretName']) } : undefined;
  return secret === undefined ? undefined : { source: 'secret', secret };
}
