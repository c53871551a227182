/** The whole path on real parts: clusters, program, what clients see, a drill, and what is left afterwards. */
import assert from 'node:assert/strict';
import { execa } from 'execa';
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Report } from '../../automation/drill/index.ts';
import { asSidecar, askingPort, clustersOf, destinations, envoyConfig, keptBytes, localRepliesOf, pingsOf, routesOf } from './envoy.ts';
import type { EnvoyConfig } from './envoy.ts';
import { Workshop, answers, eventually, leftBehind, pidNamespaces } from './support.ts';
import type { SandboxAnswer } from './support.ts';

interface Outputs {
  readonly hostname: string;
  readonly kafka: { readonly bootstrapServers: string; readonly caCertificate: string };
  readonly regions: readonly { readonly name: string; readonly gatewayAddress: string }[];
}

const name = 'slice';

describe('the whole path on a sandbox', function () {
  let workshop: Workshop;
  let sandbox: SandboxAnswer;
  let outputs: Outputs;
  let tools: { java: string; kafkaLibs: string };
  let namespaces: Set<string>;

  before(async () => {
    workshop = await Workshop.make();
    sandbox = await workshop.json<SandboxAnswer>('sandbox', 'up', '--name', name);
    namespaces = await pidNamespaces(workshop.stateDir);
    tools = await workshop.toolsOf(sandbox);
    await workshop.json('up', '--sandbox', name);
    outputs = await workshop.json<Outputs>('outputs', '--sandbox', name);
  });

  after(async () => {
    await workshop.start('sandbox', 'down', '--name', name);
    await workshop.remove();
  });

  const kubectl = (context: string, ...args: string[]): Promise<string> => workshop.kubectl(sandbox, context, ...args);

  async function tier1Relay(): Promise<string> {
    const { relays } = await workshop.json<SandboxAnswer>('sandbox', 'status', '--name', name);
    const address = relays['central/edge/tier1:80'];
    assert.ok(address, `tier1 has no relay: ${JSON.stringify(relays)}`);
    return address;
  }

  it('answers kubectl from outside by every cluster\'s own API server', async () => {
    for (const { name: context } of sandbox.clusters) {
      assert.match(await kubectl(context, 'get', '--raw', '/version'), /"gitVersion":\s*"v1\.34\.4"/);
    }
  });

  it('shows pods\' logs to kubectl from outside', async () => {
    const log = await kubectl('east', '--namespace', 'kafka-bridge', 'logs', 'deploy/kafka-bridge-bridge', '--container', 'kafka-bridge-bridge');
    assert.match(log, /started and listening on port 8080/);
  });

  it('runs the bridge behind an injected sidecar, two of two ready', async () => {
    const ready = await kubectl('east', '--namespace', 'kafka-bridge', 'get', 'pods', '--selector', 'strimzi.io/kind=KafkaBridge', '--output', 'jsonpath={.items[*].status.containerStatuses[*].ready}');
    assert.equal(ready, 'true true');
  });

  it('answers GET /topics through tier1 to a plain curl', async () => {
    const { stdout } = await execa('curl', ['--silent', '--fail', '--max-time', '20', '--header', `Host: ${outputs.hostname}`, `http://${await tier1Relay()}/topics`]);
    assert.ok(Array.isArray(JSON.parse(stdout)), stdout);
  });

  it('names three brokers over verified TLS to Kafka\'s own tool', async () => {
    const ca = join(workshop.stateDir, 'ca.pem');
    const config = join(workshop.stateDir, 'client.properties');
    await writeFile(ca, outputs.kafka.caCertificate);
    await writeFile(config, `security.protocol=SSL\nssl.truststore.type=PEM\nssl.truststore.location=${ca}\n`);
    const said = await workshop.inside(name, tools.java, '-cp', `${tools.kafkaLibs}/*`, 'org.apache.kafka.tools.BrokerApiVersionsCommand', '--bootstrap-server', outputs.kafka.bootstrapServers, '--command-config', config);
    const brokers = said.split('\n').flatMap((line) => /^(\S+:9094) \(id: (\d)/.exec(line)?.slice(1) ?? []);
    assert.equal(brokers.length / 2, 3, said.slice(0, 1000));
  });

  it('starts its brokers from the archive of their classes', async () => {
    const using = await workshop.inside(name, 'sh', '-c', 'grep --files-with-matches kafka.aot /proc/[0-9]*/maps 2>/dev/null | wc -l');
    assert.equal(Number(using), 3);
  });

  describe('the configuration that reaches Envoy', () => {
    let gateway: EnvoyConfig;
    let sidecar: EnvoyConfig;
    let tier1: EnvoyConfig;

    before(async () => {
      const dump = async (context: string, namespace: string, selector: string): Promise<EnvoyConfig> => {
        const ip = await kubectl(context, '--namespace', namespace, 'get', 'pods', '--selector', selector, '--output', 'jsonpath={.items[0].status.podIP}');
        return envoyConfig(await workshop.inside(name, 'nsenter', `--net=/run/netns/pod-${ip}`, 'curl', '--silent', '127.0.0.1:15000/config_dump?include_eds'));
      };
      gateway = await dump('east', 'kafka-bridge', 'app=kafka-bridge-gateway');
      sidecar = await dump('east', 'kafka-bridge', 'strimzi.io/name=kafka-bridge-bridge');
      tier1 = await dump('central', 'edge', 'app=tier1');
    });

    it('ejects a dead bridge at its first failed connection, for a short time, and lets all of a region go', () => {
      const [cluster] = clustersOf(gateway, 'outbound|8080||kafka-bridge-http.kafka-bridge.svc.cluster.local');
      const { outlier_detection: ejection, common_lb_config: common } = cluster ?? {};
      assert.equal(ejection?.split_external_local_origin_errors, true);
      assert.equal(ejection.consecutive_local_origin_failure, 1);
      assert.equal(ejection.base_ejection_time, '2s');
      assert.equal(ejection.max_ejection_percent, 100);
      // Less than one host of a hundred: none.
      assert.equal(common?.healthy_panic_threshold?.value, 1);
    });

    it('delivers every change of a host\'s health at once', () => {
      const [bridge] = clustersOf(gateway, 'outbound|8080||kafka-bridge-http.kafka-bridge.svc.cluster.local');
      assert.equal(bridge?.common_lb_config?.update_merge_window, '0s');
      for (const cluster of clustersOf(tier1, `outbound|80|east-west|${outputs.hostname}`)) assert.equal(cluster.common_lb_config?.update_merge_window, '0s');
    });

    it('gives a connection the time of two round trips to another region, and that of consumers, who stay in theirs, less', () => {
      const times = [
        ...['http', 'local'].map((host) => clustersOf(gateway, `outbound|8080||kafka-bridge-${host}.kafka-bridge.svc.cluster.local`)), clustersOf(tier1, `outbound|80|east-west|${outputs.hostname}`),
      ].map(([cluster]) => cluster?.connect_timeout);
      assert.deepEqual(times, ['0.500s', '0.250s', '0.500s']);
    });

    it('checks bridges and gateways four times a second, and forgets one that Kubernetes took away', () => {
      const [bridge] = clustersOf(gateway, 'outbound|8080||kafka-bridge-http.kafka-bridge.svc.cluster.local');
      const [region] = clustersOf(tier1, `outbound|80|east-west|${outputs.hostname}`);
      for (const cluster of [bridge, region]) {
        assert.equal(cluster?.health_checks?.[0]?.interval, '0.250s');
        assert.equal(cluster.health_checks[0]?.timeout, '0.750s');
        assert.equal(cluster.ignore_health_on_host_removal, true);
      }
      assert.equal(bridge?.health_checks?.[0]?.http_health_check?.path, '/topics');
      // What its own bridge answers, and no peer's.
      assert.equal(region?.health_checks?.[0]?.http_health_check?.path, '/consumers/kbf-check/instances/none/subscription');
    });

    it('sends consumers to no bridge that fails its checks, though there is no other for them', () => {
      const [bridge] = clustersOf(gateway, 'outbound|8080||kafka-bridge-local.kafka-bridge.svc.cluster.local');
      assert.equal(bridge?.health_checks?.[0]?.http_health_check?.path, '/topics');
      assert.equal(bridge.common_lb_config?.healthy_panic_threshold?.value ?? 0, 0);
      assert.ok(bridge.common_lb_config?.healthy_panic_threshold !== undefined, 'Envoy\'s own is 50 %');
    });

    it('asks one bridge for all of a group of consumers', () => {
      const [local] = clustersOf(gateway, 'outbound|8080||kafka-bridge-local.kafka-bridge.svc.cluster.local');
      const [shared] = clustersOf(gateway, 'outbound|8080||kafka-bridge-http.kafka-bridge.svc.cluster.local');
      assert.equal(local?.lb_policy, 'RING_HASH');
      assert.notEqual(shared?.lb_policy, 'RING_HASH');
    });

    it('pings bridges and gateways over the connections on which requests wait, the bridges from behind their sidecars too', () => {
      const [bridge] = clustersOf(gateway, 'outbound|8080||kafka-bridge-http.kafka-bridge.svc.cluster.local');
      const [region] = clustersOf(tier1, `outbound|80|east-west|${outputs.hostname}`);
      const [application] = clustersOf(sidecar, 'inbound|8080');
      for (const cluster of [bridge, region, application]) assert.deepEqual(pingsOf(cluster), { interval: '0.250s', timeout: '1s', interval_jitter: {} });
    });

    it('puts the own bridge first and the peer\'s east-west port second', () => {
      const endpoints = destinations(gateway, 'outbound|8080||kafka-bridge-http.kafka-bridge.svc.cluster.local');
      const west = outputs.regions.find((region) => region.name === 'west')?.gatewayAddress;
      assert.deepEqual(endpoints.filter(({ priority }) => priority > 0), [{ priority: 1, region: 'us-west1', addresses: [`${String(west)}:15443`] }]);
      assert.deepEqual(endpoints.filter(({ priority }) => priority === 0).map(({ region }) => region), ['us-east1']);
    });

    it('gives both regions the same priority at tier1, without weights', () => {
      const endpoints = destinations(tier1, `outbound|80|east-west|${outputs.hostname}`);
      assert.deepEqual(endpoints.map(({ priority, region }) => [priority, region]), [[0, 'us-east1'], [0, 'us-west1']]);
      const routes = routesOf(tier1, outputs.hostname);
      assert.ok(routes.length > 0 && routes.every(({ weighted }) => !weighted), JSON.stringify(routes));
    });

    it('retries nothing that may have been sent, and nothing at all for consumers', () => {
      const [ofTier1, ofGateway] = [routesOf(tier1, outputs.hostname), routesOf(gateway, outputs.hostname)];
      assert.ok(ofTier1.length > 0 && ofGateway.length > 0, `${String(ofTier1.length)} and ${String(ofGateway.length)} routes`);
      for (const route of ofTier1) assert.ok([undefined, 'connect-failure,refused-stream'].includes(route.retryOn), JSON.stringify(route));
      for (const route of ofGateway) {
        assert.ok([undefined, 'connect-failure,refused-stream,retriable-headers'].includes(route.retryOn), JSON.stringify(route));
        assert.deepEqual(route.retriableHeaders, ['x-kbf-unsent']);
        assert.equal(route.hashed, ':path');
      }
      const consumers = ofGateway.filter(({ prefix }) => prefix === '/consumers');
      assert.deepEqual([...new Set(consumers.map(({ retryOn, cluster }) => `${String(retryOn)} ${cluster}`))], ['undefined outbound|8080||kafka-bridge-local.kafka-bridge.svc.cluster.local']);
    });

    it('repeats at the next priority, while the dead host is not out yet, and whatever of it fits into a megabyte', () => {
      for (const proxy of [tier1, gateway]) {
        const repeating = routesOf(proxy, outputs.hostname).filter(({ retryOn }) => retryOn !== undefined);
        assert.deepEqual([...new Set(repeating.map(({ retryPriority }) => retryPriority))], ['envoy.retry_priorities.previous_priorities']);
        // TSB's own filter says 32 and 64 KiB.
        const kept = keptBytes(proxy);
        assert.ok(kept.length > 0 && kept.flat().every((bytes) => bytes === 1_048_576), JSON.stringify(kept));
      }
    });

    it('takes no bridge from all consumers of a region for the poll of one that outlasts its time', () => {
      const [local] = clustersOf(gateway, 'outbound|8080||kafka-bridge-local.kafka-bridge.svc.cluster.local');
      assert.equal(local?.outlier_detection?.['consecutive_local_origin_failure'] ?? 5, 5);
      assert.equal(local?.outlier_detection?.['consecutive_gateway_failure'] ?? 5, 5);
    });

    it('has sidecars say of requests that their bridge never got, and of no others, that they were not sent', async () => {
      const ip = await kubectl('east', '--namespace', 'kafka-bridge', 'get', 'pods', '--selector', 'strimzi.io/name=kafka-bridge-bridge', '--output', 'jsonpath={.items[0].status.podIP}');
      const inPod = (...command: string[]): Promise<string> => workshop.inside(name, 'nsenter', `--net=/run/netns/pod-${ip}`, ...command);
      const ask = (path: string): Promise<string> => inPod('curl', '--silent', '--include', `${ip}:8080${path}`);
      assert.match(await ask('/topics'), /^HTTP\/1\.1 200 (?![^]*x-kbf-unsent)/);
      assert.match(await ask('/topics/unknown'), /^HTTP\/1\.1 404 (?![^]*x-kbf-unsent)/);
      const [, pid = ''] = /pid=(\d+)/.exec(await inPod('ss', '--no-header', '--listening', '--tcp', '--numeric', '--processes', 'src 127.0.0.1:8080')) ?? [];
      await workshop.inside(name, 'kill', '-KILL', pid);
      // The kubelet starts it again within a second or two.
      await eventually('a marked answer', 5_000, async () => /^HTTP\/1\.1 503 [^]*x-kbf-unsent: true/.test(await ask('/topics')) || undefined);
      await eventually('the bridge again', 60_000, async () => (await ask('/topics')).startsWith('HTTP/1.1 200 ') || undefined);
    });

    it('reaches sidecars by istiod in a real mesh as it does here', async () => {
      const { items: [pod] } = JSON.parse(await kubectl('east', '--namespace', 'kafka-bridge', 'get', 'pods', '--selector', 'strimzi.io/name=kafka-bridge-bridge', '--output', 'json')) as { items: Parameters<typeof asSidecar>[0][] };
      assert.ok(pod);
      const istiod = await kubectl('east', '--namespace', 'istio-system', 'get', 'service', 'istiod', '--output', 'jsonpath={.spec.clusterIP}');
      const bootstrap = join(workshop.stateDir, 'as-sidecar.json');
      await writeFile(bootstrap, JSON.stringify(asSidecar(pod, { cluster: 'east', istiod })));
      const { envoy } = await workshop.toolsOf<{ envoy: string }>(sandbox);
      const dump = await workshop.inside(name, 'nsenter', `--net=/run/netns/pod-${pod.status.podIP}`, 'sh', '-c', untilToldAll, envoy, bootstrap, String(askingPort));
      const replies = localRepliesOf(dump, 8080);
      assert.ok(replies.length > 0, dump.slice(0, 2000));
      for (const reply of replies) assert.match(JSON.stringify(reply), /"flags":\["UF"\].*"x-kbf-unsent"/);
      const [application] = clustersOf(envoyConfig(dump), 'inbound|8080||');
      assert.deepEqual(pingsOf(application), { interval: '0.250s', timeout: '1s', interval_jitter: {} });
    });

    it('keeps consumers in their region and ends the hop between regions there', () => {
      const local = destinations(gateway, 'outbound|8080||kafka-bridge-local.kafka-bridge.svc.cluster.local');
      assert.deepEqual(local.map(({ priority, region }) => [priority, region]), [[0, 'us-east1']]);
      const hop = routesOf(gateway, 'kafka-bridge-http.kafka-bridge.svc.cluster.local');
      assert.deepEqual(hop.map(({ cluster }) => cluster), ['outbound|8080|local|kafka-bridge-http.kafka-bridge.svc.cluster.local']);
      assert.deepEqual(destinations(gateway, 'outbound|8080|local|kafka-bridge-http.kafka-bridge.svc.cluster.local').map(({ region }) => region), ['us-east1']);
    });
  });

  describe('a drill, and the end of it all', () => {
    it('fails over and back under load without losing a record', async () => {
      const report = await workshop.json<Report>('drill', '--sandbox', name, '--fault', 'bridge-scale-0', '--region', 'east', '--rate', '50', '--duration', '20s', '--report', join(workshop.stateDir, 'report'));
      console.log(`      sent ${String(report.produce.sent)}, failed ${String(report.produce.failed)}, unknown ${String(report.produce.unknown)}, longest gap ${String(report.produce.blackoutMs)} ms`);
      assert.equal(report.verdict, 'pass', JSON.stringify(report.objectives, null, 1));
      assert.equal(report.log?.ackedLost, 0);
      assert.equal(report.log.duplicates.unexplained, 0);
      assert.equal(report.consume?.commitsLost, 0);
      const share = Object.fromEntries(report.regions.map((region) => [region.name, region]));
      for (const region of ['east', 'west']) assert.ok((share[region]?.before ?? 0) > 0 && (share[region]?.after ?? 0) > 0, `${region} before and after`);
      assert.equal(share['east']?.during, 0);
    });

    it('finds nothing to change in a second up, also after a drill', async () => {
      const { changes } = await workshop.json<{ changes: Record<string, number> }>('up', '--sandbox', name);
      assert.deepEqual(Object.keys(changes), ['same']);
    });

    it('keeps keys and tokens out of state, outputs, logs and report', async () => {
      const secret = /PRIVATE KEY|"eyJ|Bearer eyJ/;
      const directories = [join(sandbox.dir, 'pulumi', 'state'), join(sandbox.dir, 'logs'), join(workshop.stateDir, 'report')];
      const files = (await Promise.all(directories.map(filesBelow))).flat();
      assert.ok(files.some((file) => file.endsWith('dev.json')), files.join('\n'));
      for (const file of files) assert.doesNotMatch(await readFile(file, 'utf8'), secret, file);
      assert.doesNotMatch(JSON.stringify(outputs), secret);
    });

    it('lets a second sandbox run beside it', async () => {
      const second = await workshop.json<SandboxAnswer>('sandbox', 'up', '--name', 'second');
      assert.equal(second.clusters.length, 4);
      assert.ok(await answers(second.relays['kafka/apiserver'] ?? ''));
      assert.match(await kubectl('east', 'get', '--raw', '/version'), /1\.34/);
      assert.equal((await workshop.start('sandbox', 'down', '--name', 'second')).exitCode, 0);
    });

    it('leaves no object behind when it is destroyed', async function () {
      this.timeout(600_000); // components/deletion.ts says why a deletion may take its whole time
      await workshop.json('destroy', '--sandbox', name);
      for (const [context, namespace] of [['kafka', 'kafka-cluster'], ['east', 'kafka-bridge'], ['west', 'kafka-bridge'], ['central', 'edge']] as const) {
        assert.equal(await kubectl(context, 'get', 'namespace', namespace, '--ignore-not-found', '--output', 'name'), '', `${namespace} in ${context}`);
      }
      assert.equal(await kubectl('central', 'get', 'workspaces.tsb.tetrate.io,tenants.tsb.tetrate.io', '--all-namespaces', '--output', 'name'), '');
    });

    it('leaves no process, mount, port or directory behind when it is stopped', async () => {
      const { relays } = await workshop.json<SandboxAnswer>('sandbox', 'status', '--name', name);
      const { exitCode, all } = await workshop.start('sandbox', 'down', '--name', name);
      assert.equal(exitCode, 0, all);
      await eventually('nothing is left', 10_000, async () => {
        const left = await leftBehind(workshop.stateDir, namespaces);
        if (left.length > 0) throw new Error(left.join('\n'));
        return true;
      });
      for (const address of Object.values(relays)) assert.equal(await answers(address), false, address);
    });
  });
});

/** Runs an Envoy until it was told its listeners, and prints its configuration. Arguments: Envoy, bootstrap, port of its admin interface. */
const untilToldAll = `
timeout 30 "$0" --config-path "$1" --concurrency 1 --log-level error --disable-hot-restart &
envoy=$!
tries=0
until curl --silent "127.0.0.1:$2/config_dump?include_eds" | grep -q virtualInbound || [ $tries = 100 ]; do tries=$((tries + 1)); sleep 0.2; done
curl --silent "127.0.0.1:$2/config_dump?include_eds"
kill $envoy
wait $envoy || true`;

async function filesBelow(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}
