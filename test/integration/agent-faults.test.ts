/** What faults need of the node agent, through the Kubernetes API alone: exec, network policies, the control plane's pod, pods that are stopped. */
import assert from 'node:assert/strict';
import { Exec, KubeConfig } from '@kubernetes/client-node';
import type { V1Status } from '@kubernetes/client-node';
import { execa } from 'execa';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { Workshop, eventually } from './support.ts';
import type { SandboxAnswer } from './support.ts';

const name = 'faults';
const context = 'east';

/** Answers everyone, and never ends a connection by itself. */
const web = (pod: string, more: object = {}) => ({
  apiVersion: 'v1', kind: 'Pod', metadata: { name: pod, namespace: 'default', labels: { app: pod } },
  spec: {
    terminationGracePeriodSeconds: 2,
    containers: [{
      name: 'web', image: 'node', command: ['node', '-e', 'require("http").createServer({ keepAliveTimeout: 0 }, (q, r) => r.end("here")).listen(8080)'],
      readinessProbe: { httpGet: { port: 8080 }, periodSeconds: 1, failureThreshold: 1 }, ...more,
    }],
  },
});

const policy = (policyName: string, spec: object) => ({ apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name: policyName, namespace: 'default' }, spec });

describe('what faults need of the node agent', function () {
  let workshop: Workshop;
  let sandbox: SandboxAnswer;
  let config: KubeConfig;

  before(async () => {
    workshop = await Workshop.make();
    sandbox = await workshop.json<SandboxAnswer>('sandbox', 'up', '--name', name);
    config = new KubeConfig();
    config.loadFromFile(sandbox.outsideKubeconfig);
    config.setCurrentContext(context);
    await apply({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'other', namespace: 'default' }, spec: { selector: { app: 'other' }, ports: [{ port: 8080 }] } });
    await apply(web('web'), web('other'), web('probed', { livenessProbe: { httpGet: { port: 8080 }, periodSeconds: 1, failureThreshold: 2, terminationGracePeriodSeconds: 2 } }));
    await kubectl('wait', '--for=condition=Ready', 'pod/web', 'pod/other', 'pod/probed', '--timeout=60s');
  });

  after(async () => {
    await workshop.start('sandbox', 'down', '--name', name);
    await workshop.remove();
  });

  const kubectl = (...args: string[]): Promise<string> => workshop.kubectl(sandbox, context, ...args);

  async function apply(...objects: object[]): Promise<void> {
    const file = join(workshop.stateDir, 'objects.json');
    await writeFile(file, JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }));
    await kubectl('apply', '--filename', file);
  }

  /** Runs a shell script in a pod, by the library that the drill uses too. `left` closes the socket. */
  async function exec(pod: string, script: string, container = 'web', namespace = 'default') {
    const [out, err] = [new PassThrough(), new PassThrough()];
    let stdout = '';
    let stderr = '';
    out.on('data', (chunk: Buffer) => { stdout += chunk.toString(); });
    err.on('data', (chunk: Buffer) => { stderr += chunk.toString(); });
    const status = Promise.withResolvers<V1Status>();
    const socket = await new Exec(config).exec(namespace, pod, container, ['sh', '-c', script], out, err, null, false, status.resolve);
    return { status: status.promise, said: () => ({ stdout, stderr }), leave: () => { socket.close(); } };
  }

  const podIp = (pod: string) => kubectl('get', 'pod', pod, '--output', 'jsonpath={.status.podIP}');
  const restarts = async (pod: string) => Number(await kubectl('get', 'pod', pod, '--output', 'jsonpath={.status.containerStatuses[0].restartCount}'));
  /** What curl ends with in a pod: 0 an answer, 7 refused, 28 silence. */
  async function reach(from: string, ip: string, seconds = 1): Promise<number> {
    const { status, said } = await exec(from, `curl --silent --max-time ${String(seconds)} http://${ip}:8080 >/dev/null; echo $?`);
    await status;
    return Number(said().stdout);
  }

  /** Whether a connect is answered, if only by a refusal. */
  async function connects(from: string, ip: string): Promise<boolean> {
    const { status, said } = await exec(from, `node -e 'require("net").connect(8080, "${ip}").on("connect", () => process.exit(0)).on("error", () => process.exit(0)); setTimeout(() => { console.log("silence"); process.exit(); }, 1000)'`);
    await status;
    return said().stdout === '';
  }

  describe('exec', () => {
    it('gives output, errors and the exit code apart, in the container\'s own process namespace', async () => {
      const { status, said } = await exec('web', 'echo out; echo err >&2; hostname; exit 3');
      assert.deepEqual((await status).details?.causes, [{ reason: 'ExitCode', message: '3' }]);
      assert.deepEqual(said(), { stdout: 'out\nweb\n', stderr: 'err\n' });
      const processes = await exec('web', 'ls -d /proc/[0-9]* | wc -l');
      assert.equal((await processes.status).status, 'Success');
      assert.ok(Number(processes.said().stdout) < 8, processes.said().stdout);
    });

    it('serves kubectl, with standard input, and says what it does not do', async () => {
      const { kubectl: program } = await workshop.toolsOf<{ kubectl: string }>(sandbox);
      const run = (env: Record<string, string>, ...args: string[]) => execa(program, ['--kubeconfig', sandbox.outsideKubeconfig, '--context', context, 'exec', ...args], { input: 'from outside', env, reject: false });
      assert.equal((await run({}, '--stdin', 'web', '--', 'cat')).stdout, 'from outside');
      assert.equal((await run({}, 'web', '--', 'sh', '-c', 'exit 7')).exitCode, 7);
      assert.match((await run({ KUBECTL_REMOTE_COMMAND_WEBSOCKETS: 'false' }, 'web', '--', 'true')).stderr, /web sockets/);
      assert.match((await run({}, 'nobody', '--', 'true')).stderr, /"nobody" not found/);
    });

    it('ends a command whose client has left, and nothing that it had detached', async () => {
      const { said, leave } = await exec('web', 'setsid sleep 4321 </dev/null >/dev/null 2>&1 & echo $$; exec sleep 1234');
      await eventually('the command runs', 10_000, () => Promise.resolve(said().stdout === '' ? undefined : true));
      leave();
      const running = async () => {
        const { status, said: answer } = await exec('web', 'cat /proc/[0-9]*/cmdline | tr "\\0" "\\n" | grep -cx 1234; cat /proc/[0-9]*/cmdline | tr "\\0" "\\n" | grep -cx 4321; true');
        await status;
        return answer().stdout;
      };
      await eventually('the command ends alone', 10_000, async () => await running() === '0\n1\n' ? true : undefined);
    });

    it('restarts a container whose program is killed', async () => {
      const before = await restarts('web');
      await exec('web', 'kill -KILL -1');
      await eventually('a restart', 20_000, async () => await restarts('web') === before + 1 ? true : undefined);
      assert.equal(await kubectl('get', 'pod', 'web', '--output', 'jsonpath={.status.containerStatuses[0].lastState.terminated.exitCode}'), '137');
      await kubectl('wait', '--for=condition=Ready', 'pod/web', '--timeout=20s');
    });
  });

  describe('a program that is stopped', () => {
    const stop = 'setsid sh -c "kill -STOP -1; sleep 5; kill -CONT -1" </dev/null >/dev/null 2>&1 & echo armed';

    it('is not ready until it heals itself', async () => {
      const { said, leave } = await exec('other', stop);
      await eventually('the script is armed', 10_000, () => Promise.resolve(said().stdout === 'armed\n' ? true : undefined));
      leave();
      await kubectl('wait', '--for=condition=Ready=false', 'pod/other', '--timeout=20s');
      assert.equal(await reach('web', await podIp('other')), 28);
      await kubectl('wait', '--for=condition=Ready', 'pod/other', '--timeout=20s');
      assert.equal(await restarts('other'), 0);
    });

    it('is ended by a liveness probe, and by the deletion of its pod', async () => {
      await exec('probed', 'kill -STOP -1');
      await eventually('a restart', 20_000, async () => await restarts('probed') === 1 ? true : undefined);
      await kubectl('wait', '--for=condition=Ready', 'pod/probed', '--timeout=20s');
      await exec('probed', 'kill -STOP -1');
      await kubectl('delete', 'pod', 'probed', '--timeout=20s');
    });
  });

  describe('a network policy', () => {
    const denyAll = policy('deny-all', { podSelector: { matchExpressions: [{ key: 'app', operator: 'In', values: ['other', 'late'] }] }, policyTypes: ['Ingress', 'Egress'] });

    it('that denies all makes a black hole of a pod, also for connections that exist, but not for its node\'s probes', async () => {
      const ip = await podIp('other');
      const talk = await exec('web', `node -e 'const s = require("net").connect(8080, "${ip}"); s.on("data", () => console.log("answer")); setInterval(() => s.write("GET / HTTP/1.1\\r\\nhost: x\\r\\n\\r\\n"), 100)'`);
      const answers = () => talk.said().stdout.split('\n').length - 1;
      await eventually('answers', 10_000, () => Promise.resolve(answers() > 3 ? true : undefined));
      await apply(denyAll);
      await eventually('silence for who is new', 10_000, async () => await reach('web', ip) === 28 ? true : undefined);
      const before = answers();
      assert.equal(await reach('other', await podIp('web')), 28);
      // Also for longer than anyone waits for an answer to ARP.
      assert.equal(await reach('web', ip, 5), 28);
      assert.equal(answers(), before);
      const service = await kubectl('get', 'service', 'other', '--output', 'jsonpath={.spec.clusterIP}');
      assert.equal(await connects('web', service), false);
      assert.equal(await kubectl('get', 'pod', 'other', '--output', 'jsonpath={.status.containerStatuses[0].ready}'), 'true');
      await kubectl('delete', 'networkpolicy', 'deny-all');
      await eventually('answers on the old connection', 20_000, () => Promise.resolve(answers() > before ? true : undefined));
      assert.equal(await reach('web', ip), 0);
      assert.equal(await connects('web', service), true);
      talk.leave();
    });

    it('finds pods that start after it', async () => {
      await apply(denyAll, web('late'));
      await kubectl('wait', '--for=condition=Ready', 'pod/late', '--timeout=30s');
      assert.equal(await reach('web', await podIp('late')), 28);
      await kubectl('delete', 'networkpolicy/deny-all', 'pod/late');
    });

    it('that leaves addresses out cuts a pod off from these alone', async () => {
      const [first, second] = [await podIp('web'), await podIp('other')];
      await apply(web('third'), policy('cut', { podSelector: { matchLabels: { app: 'web' } }, policyTypes: ['Egress'], egress: [{ to: [{ ipBlock: { cidr: '0.0.0.0/0', except: [`${second}/32`] } }] }] }));
      await kubectl('wait', '--for=condition=Ready', 'pod/third', '--timeout=30s');
      await eventually('the cut', 10_000, async () => await reach('web', second) === 28 ? true : undefined);
      assert.equal(await reach('web', await podIp('third')), 0);
      assert.equal(await reach('third', first), 0);
      await kubectl('delete', 'networkpolicy/cut', 'pod/third');
      await eventually('its end', 10_000, async () => await reach('web', second) === 0 ? true : undefined);
    });

    it('that says anything else has no effect, and an event that says what', async () => {
      await apply(policy('ports', { podSelector: {}, policyTypes: ['Egress'], egress: [{ ports: [{ port: 53 }] }] }));
      const said = await eventually('an event', 10_000, async () => await kubectl('get', 'events', '--field-selector', 'reason=NotHonoured', '--output', 'jsonpath={.items[*].message}') || undefined);
      assert.match(said, /spec\.egress\[0\]\.ports/);
      assert.equal(await reach('web', await podIp('other')), 0);
      await kubectl('delete', 'networkpolicy', 'ports');
    });
  });

  describe('an Envoy that ends', () => {
    const label = { app: 'behind-envoy' };
    const server = 'require("http").createServer({ keepAliveTimeout: 0 }, (q, r) => setTimeout(() => r.end("here"), 5)).listen(8080, "127.0.0.1")';
    const deployment = {
      apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'behind-envoy', namespace: 'default' },
      spec: {
        selector: { matchLabels: label }, strategy: { rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
        template: { metadata: { labels: label }, spec: {
          terminationGracePeriodSeconds: 10,
          containers: [
            { name: 'app', image: 'node', command: ['node', '-e', server], ports: [{ containerPort: 8080 }], lifecycle: { preStop: { sleep: { seconds: 6 } } } },
            { name: 'istio-proxy', image: 'docker.io/istio/proxyv2', args: ['proxy', 'sidecar'], readinessProbe: { httpGet: { port: 15021, path: '/healthz/ready' }, periodSeconds: 1 } },
          ],
        } },
      },
    };
    const service = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'behind-envoy', namespace: 'default' }, spec: { selector: label, ports: [{ port: 8080 }] } };
    /** Eight clients that keep their connections and never pause. */
    const clients = (ip: string) => `node -e 'const http = require("http"), agent = new http.Agent({ keepAlive: true });
      const ask = () => { const r = http.get({ host: "${ip}", port: 8080, agent }, (a) => { a.resume().on("end", () => { console.log(a.statusCode); ask(); }); }); r.on("error", (e) => { console.log(e.code); ask(); }); };
      for (let i = 0; i < 8; i++) ask();'`;

    it('sends its clients away first, so that a rolling restart costs no request', async () => {
      await apply(service, deployment);
      await kubectl('rollout', 'status', 'deployment/behind-envoy', '--timeout=60s');
      const { said, leave } = await exec('web', clients(await kubectl('get', 'service', 'behind-envoy', '--output', 'jsonpath={.spec.clusterIP}')));
      await eventually('answers', 20_000, () => Promise.resolve(said().stdout.length > 100 ? true : undefined));
      const [old] = (await kubectl('get', 'pods', '--selector', 'app=behind-envoy', '--output', 'name')).split('\n');
      await kubectl('rollout', 'restart', 'deployment/behind-envoy');
      await kubectl('wait', '--for=delete', old ?? '', '--timeout=60s');
      leave();
      const answers = Object.fromEntries([...Map.groupBy(said().stdout.trim().split('\n'), (answer) => answer)].map(([answer, all]) => [answer, all.length]));
      assert.deepEqual(Object.keys(answers), ['200'], JSON.stringify(answers));
      await kubectl('delete', 'deployment/behind-envoy', 'service/behind-envoy');
    });
  });

  describe('the control plane', () => {
    const pod = `kube-apiserver-${context}-node`;
    const find = () => kubectl('--namespace', 'kube-system', 'get', 'pods', '--selector', 'component=kube-apiserver,tier=control-plane', '--output', 'jsonpath={.items[*].metadata.name} {.items[*].status.phase} {.items[*].metadata.annotations.kubernetes\\.io/config\\.mirror}');

    it('is shown as a mirror pod, which comes back when it is deleted', async () => {
      assert.equal(await find(), `${pod} Running ${context}`);
      await kubectl('--namespace', 'kube-system', 'delete', 'pod', pod, '--timeout=20s');
      await eventually('a new one', 10_000, async () => await find() === `${pod} Running ${context}` ? true : undefined);
    });

    it('is alone in its process namespace', async () => {
      const { status, said } = await exec(pod, 'cat /proc/[0-9]*/comm', 'kube-apiserver', 'kube-system');
      assert.equal((await status).status, 'Success');
      const programs = new Set(said().stdout.trim().split('\n'));
      assert.deepEqual([...programs].filter((program) => program !== 'cat').sort(), ['kube-apiserver', 'sh']);
    });

    it('is stopped by an exec, and heals itself', async () => {
      const { status } = await exec(pod, 'setsid sh -c "sleep 1; kill -STOP -1; sleep 4; kill -CONT -1" </dev/null >/dev/null 2>&1 &', 'kube-apiserver', 'kube-system');
      assert.equal((await status).status, 'Success');
      const ask = () => kubectl('get', '--raw', '/healthz', '--request-timeout=1s').then(() => true, () => false);
      await eventually('silence', 10_000, async () => await ask() ? undefined : true);
      await eventually('an answer', 20_000, async () => await ask() ? true : undefined);
      assert.equal(await reach('web', await podIp('other')), 0);
    });

    it('is left out of what ends with the sandbox\'s pods', async () => {
      const { processes } = await workshop.json<{ processes: { name: string; restarts: number; state: string }[] }>('sandbox', 'status', '--name', name);
      for (const { name: process, restarts: count, state } of processes) assert.deepEqual([process, count, state], [process, 0, 'running']);
    });
  });
});
