import { istioVersion } from '../toolchain/istio-version.ts';

/**
 * The sidecar injector as a policy that the API server runs itself (admissionregistration.k8s.io/v1beta1): pods made in a namespace
 * labelled `istio-injection: enabled` get the container `istio-proxy`, unless they are gateways or say no by
 * `sidecar.istio.io/inject: "false"`. Istio does it by a webhook, which would need certificates and a service of its own.
 */
export function injector(): object[] {
  const metadata = { name: 'istio-sidecar-injector', labels: { app: 'sidecar-injector' } };
  return [
    {
      apiVersion: 'admissionregistration.k8s.io/v1beta1', kind: 'MutatingAdmissionPolicy', metadata,
      spec: {
        failurePolicy: 'Fail',
        reinvocationPolicy: 'Never',
        matchConstraints: {
          namespaceSelector: { matchLabels: { 'istio-injection': 'enabled' } },
          resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }],
        },
        matchConditions: [
          { name: 'wanted', expression: `!has(object.metadata.labels) || !('sidecar.istio.io/inject' in object.metadata.labels) || object.metadata.labels['sidecar.istio.io/inject'] != 'false'` },
          { name: 'has-none', expression: `!object.spec.containers.exists(c, c.name == 'istio-proxy')` },
        ],
        mutations: [{ patchType: 'JSONPatch', jsonPatch: { expression: injection } }],
      },
    },
    {
      apiVersion: 'admissionregistration.k8s.io/v1beta1', kind: 'MutatingAdmissionPolicyBinding', metadata,
      spec: { policyName: metadata.name },
    },
  ];
}

const image = `docker.io/istio/proxyv2:${istioVersion}`;

// A JSON patch, because an apply configuration may not set lists like args.
const injection = `[
  JSONPatch{op: "add", path: "/spec/containers/-", value: Object.spec.containers{
    name: "istio-proxy",
    image: "${image}",
    args: ["proxy", "sidecar"],
    ports: [Object.spec.containers.ports{containerPort: 15021, name: "http-status", protocol: "TCP"}],
    readinessProbe: Object.spec.containers.readinessProbe{
      httpGet: Object.spec.containers.readinessProbe.httpGet{path: "/healthz/ready", port: 15021, scheme: "HTTP"},
      periodSeconds: 1, timeoutSeconds: 1, successThreshold: 1, failureThreshold: 30
    }
  }}
] + (has(object.metadata.annotations) ? [] : [JSONPatch{op: "add", path: "/metadata/annotations", value: {}}])
  + [JSONPatch{op: "add", path: "/metadata/annotations/" + jsonpatch.escapeKey("sidecar.istio.io/status"), value: '{"containers":["istio-proxy"]}'}]`;
