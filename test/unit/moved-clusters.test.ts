import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { survey } from '../../automation/survey.ts';
import { parseConfiguration } from '../../config/configuration.ts';
import { UserError } from '../../errors.ts';
import { loopbackCertificate } from '../fixtures/loopback-certificate.ts';
import { stackState } from './stack-state-fixtures.ts';
import { root } from './topology-fixtures.ts';

describe('a cluster of GKE that was given another address', () => {
  let directory: string;
  let path: string | undefined;
  let authority: string;
  const server = createServer();
  const asked: string[] = [];

  before(async () => {
    const certificate = await loopbackCertificate();
    authority = Buffer.from(certificate.cert).toString('base64');
    server.setSecureContext(certificate);
    server.on('request', (request, response) => {
      asked.push(`${request.method} ${request.url}`);
      response.writeHead(request.method === 'POST' ? 201 : 200).end('{}');
    });
    await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  });
  after(() => { server.close(); });
  beforeEach(async () => {
    asked.length = 0;
    directory = await mkdtemp(join(tmpdir(), 'kbf-moved-'));
    path = process.env['PATH'];
    process.env['PATH'] = `${directory}${delimiter}${path ?? ''}`;
    await program('gke-gcloud-auth-plugin', 'exit 1');
  });
  afterEach(async () => {
    process.env['PATH'] = path;
    await rm(directory, { recursive: true });
  });

  const program = async (name: string, script: string): Promise<void> => {
    await writeFile(join(directory, name), `#!/bin/sh\n${script}\n`);
    await chmod(join(directory, name), 0o755);
  };
  const kubeconfig = (context: string, port: number): string => JSON.stringify({
    clusters: [{ name: 'c', cluster: { server: `https://127.0.0.1:${port}`, 'certificate-authority-data': authority } }],
    users: [{ name: 'u', user: { token: 'x' } }], contexts: [{ name: context, context: { cluster: 'c', user: 'u' } }],
  });
  /** Nobody listens there. */
  const gone = (context: string): string => kubeconfig(context, 9);
  const saysGcloud = async (text: string): Promise<void> => {
    await writeFile(join(directory, 'said'), text);
    await program('gcloud', `cat ${join(directory, 'said')} > "$KUBECONFIG"`);
  };
  const configuration = parseConfiguration({
    hostname: 'bridge.example', kafka: { existing: { bootstrapServers: 'k:9094', caCertificate: root } },
    regions: [{ name: 'east', context: 'east' }, { name: 'west', context: 'west' }], tsb: { context: 'central', organization: 'o', tenant: 't' }, tier1: { context: 'central' },
    gcp: { project: 'p-12345', clusters: Object.fromEntries(['east', 'west', 'central'].map((name) => [name, { name, location: 'us-east1' }])) },
  }, '/', 'unchecked');
  const surveyed = async (operation: 'up' | 'destroy'): Promise<unknown> => {
    const state = stackState();
    for (const { inputs } of state.resources ?? []) {
      if (inputs?.context === 'east') inputs.kubeconfig = gone('east');
      else delete inputs?.kubeconfig;
    }
    return await survey(operation, { configuration: operation === 'up' ? configuration : undefined, state, program: '/program', orphans: [] }, {});
  };
  const refusal = async (operation: 'up' | 'destroy'): Promise<UserError> => await surveyed(operation).then(() => { throw new Error('nothing was refused'); }, (error: unknown) => {
    assert.ok(error instanceof UserError);
    return error;
  });

  it('is asked at the address that gcloud says, where the program is run, which takes it', async () => {
    await saysGcloud(kubeconfig('gke_p-12345_us-east1_east', (server.address() as AddressInfo).port));
    await surveyed('up');
    assert.deepEqual(asked, ['GET /readyz', 'POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews']);
    assert.match((await refusal('destroy')).remedy ?? '', /^east may have another address now .*run `up` first/);
    assert.equal(asked.length, 2);
  });

  it('is away all the same where it does not answer there either, and can be skipped', async () => {
    await saysGcloud(kubeconfig('gke_p-12345_us-east1_east', 9));
    const { message, remedy } = await refusal('up');
    assert.match(message, /^Cluster east \(region east\) does not answer at https:\/\/127\.0\.0\.1:9: connection refused\.\n/);
    assert.match(remedy ?? '', /--skip-region east:/);
  });

  it('is not known to be where gcloud does not say it', async () => {
    await program('gcloud', 'echo "ERROR: no account." >&2; exit 1');
    assert.match((await refusal('up')).message, /connection refused; whether it has another address now is not known: GKE cluster east in us-east1 of project p-12345: ERROR: no account\.\n/);
  });
});
