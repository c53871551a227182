import { STATUS_CODES } from 'node:http';
import {
  ApiException, ApisApi, AppsV1Api, AuthorizationV1Api, BatchV1Api, CoreV1Api, createConfiguration, CustomObjectsApi, DiscoveryV1Api, HttpMethod,
  IsomorphicFetchHttpLibrary, NetworkingV1Api, ServerConfiguration, VersionApi, wrapHttpLibrary,
} from '@kubernetes/client-node';
import type { Configuration, KubeConfig, RequestContext, ResponseContext } from '@kubernetes/client-node';
import { credentialsOf } from '../../config/credentials.ts';
import type { Credentials } from '../../config/credentials.ts';
import { reachedContext } from '../../config/kubeconfig.ts';
import type { ContextParts } from '../../config/kubeconfig.ts';
import { sentAgain } from '../../config/sent-again.ts';
import type { Answered } from '../../config/sent-again.ts';
import { messageOf, UserError } from '../../errors.ts';
import { clientConfig } from './client-config.ts';
import { execute, messageIn, Refused } from './exec.ts';
import type { Executed, Container } from './exec.ts';

/** Under this name the drill's changes stand in an object's managed fields, and its objects carry it as `app.kubernetes.io/managed-by`. */
export const fieldManager = 'kbf-drill';
/** An API server that does not answer within this is taken for away. */
export const requestTimeoutMs = 10_000;

/** What credentials have to allow. */
export interface Right {
  verb: string;
  group: string;
  /** With its subresource: `pods/exec`. */
  resource: string;
  /** Empty: what is in no namespace. */
  namespace: string;
}

interface ClientLimits {
  /** How long a call may take, with every try of it. */
  timeoutMs?: number;
  /** For how long of it another try is waited for, at most; by default half, so that the last try has the other half. */
  patienceMs?: number;
}

/**
 * One cluster's API server, by its context of a kubeconfig. A request that it has too much to do for, or that finds it away for a moment, is sent again where that does not do a thing twice; one
 * that it does not let in any more is sent again, once, with what a plugin gives then.
 */
export class Cluster {
  readonly context: string;
  readonly #parts: ContextParts;
  readonly #credentials: Credentials;
  readonly #config: KubeConfig;
  readonly core: CoreV1Api;
  readonly apps: AppsV1Api;
  readonly batch: BatchV1Api;
  readonly networking: NetworkingV1Api;
  readonly discovery: DiscoveryV1Api;
  readonly custom: CustomObjectsApi;
  readonly apis: ApisApi;
  readonly version: VersionApi;

  /** Throws a UserError (2) when the kubeconfig does not have the context. */
  constructor(kubeconfig: string, context: string) {
    this.context = context;
    const parts = reachedContext({ file: kubeconfig }, context);
    if (parts === undefined) {
      throw new UserError(`${kubeconfig} has no context ${context} with a cluster and a user`, { exitCode: 2, remedy: 'name a kubeconfig that holds the contexts of every cluster of the stack' });
    }
    this.#parts = parts;
    this.#credentials = credentialsOf(parts);
    this.#config = clientConfig(parts, this.#credentials);
    this.core = this.client(CoreV1Api);
    this.apps = this.client(AppsV1Api);
    this.batch = this.client(BatchV1Api);
    this.networking = this.client(NetworkingV1Api);
    this.discovery = this.client(DiscoveryV1Api);
    this.custom = this.client(CustomObjectsApi);
    this.apis = this.client(ApisApi);
    this.version = this.client(VersionApi);
  }

  /** A client of one of its APIs, where others have limits of their own, or are not here. */
  client<T>(Api: new (configuration: Configuration) => T, { timeoutMs = requestTimeoutMs, patienceMs = timeoutMs / 2 }: ClientLimits = {}): T {
    return new Api(createConfiguration({
      baseServer: new ServerConfiguration(this.#config.getCurrentCluster()?.server ?? '', {}), authMethods: { default: this.#config },
      httpApi: wrapHttpLibrary({ send: (request) => this.#send(request, { timeoutMs, patienceMs }) }),
    }));
  }

  /** Makes a call; its failure is a UserError: `what`, the cluster, and what the API server said. */
  async ask<T>(what: string, question: () => Promise<T>): Promise<T> {
    try {
      return await question();
    } catch (cause) {
      throw new UserError(`${what} in cluster ${this.context}: ${explain(cause)}`, { remedy: 'see that its API server answers and that your credentials may do this', cause });
    }
  }

  /** The same for something that need not be there: undefined then. */
  async askFor<T>(what: string, question: () => Promise<T>): Promise<T | undefined> {
    try {
      return await this.ask(what, question);
    } catch (error) {
      if (statusOf(error) === 404) return undefined;
      throw error;
    }
  }

  /** Whether its API server has an API group, such as `cilium.io`. */
  async serves(group: string): Promise<boolean> {
    const { groups } = await this.ask('APIs cannot be listed', () => this.apis.getAPIVersions({}));
    return groups.some(({ name }) => name === group);
  }

  /** Whether its API server answers within `timeoutMs`. */
  async answers(timeoutMs: number): Promise<boolean> {
    try {
      await this.client(VersionApi, { timeoutMs, patienceMs: 0 }).getCode();
      return true;
    } catch (error) {
      // A refusal is an answer.
      return error instanceof ApiException;
    }
  }

  /** Throws a UserError (2) that names every right that the credentials do not have. */
  async mustAllow(rights: readonly Right[]): Promise<void> {
    const denied = await this.#denied(rights);
    if (denied.length === 0) return;
    throw new UserError(`your credentials for cluster ${this.context} may not ${denied.join(', nor ')}`, { exitCode: 2, remedy: 'get the right, or choose a fault that needs less (kbf faults list)' });
  }

  /** Whether the credentials have all of the rights. */
  async allows(rights: readonly Right[]): Promise<boolean> {
    return (await this.#denied(rights)).length === 0;
  }

  /** Runs a shell script in a container. Throws a UserError that names pod, container and cluster when it cannot be started. */
  async sh(container: Container, script: string, timeoutMs = requestTimeoutMs): Promise<Executed> {
    const { namespace, pod, container: name } = container;
    const begin = async (): Promise<(Executed & Answered) | Refused> =>
      await execute(clientConfig(this.#parts, this.#credentials), container, ['sh', '-c', script], timeoutMs).catch(refusalIn);
    return await this.ask(`no shell could be run in container ${name} of pod ${namespace}/${pod}`, async () => {
      const result = await sentAgain(() => this.#letIn(begin), { tooMany: true, twice: false, patienceMs: timeoutMs / 2 });
      if (result instanceof Refused) throw result;
      return result;
    });
  }

  async #denied(rights: readonly Right[]): Promise<string[]> {
    const api = this.client(AuthorizationV1Api);
    const denied = await this.ask('your rights cannot be looked up', async () => await Promise.all(rights.map(async ({ verb, group, namespace, resource: full }) => {
      const [resource, subresource] = full.split('/');
      const { status } = await api.createSelfSubjectAccessReview({
        body: { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectAccessReview', spec: { resourceAttributes: { verb, group, namespace, ...(resource === undefined ? {} : { resource }), ...(subresource === undefined ? {} : { subresource }) } } },
      });
      return status?.allowed === true ? [] : [`${verb} ${full}${namespace === '' ? '' : ` in namespace ${namespace}`}`];
    })));
    return denied.flat();
  }

  async #send(request: RequestContext, { timeoutMs, patienceMs }: Required<ClientLimits>): Promise<ResponseContext> {
    const http = new IsomorphicFetchHttpLibrary();
    const { pathname } = new URL(request.getUrl());
    const limit = (): void => { request.setSignal(AbortSignal.timeout(timeoutMs)); };
    const renew = async (): Promise<void> => {
      await this.#config.applySecurityAuthentication(request);
      // A plugin may take long.
      limit();
    };
    limit();
    const { response } = await sentAgain(() => this.#letIn(async () => {
      const response = await http.send(request).toPromise();
      return { status: response.httpStatusCode, retryAfter: response.headers['retry-after'], discard: () => response.body.text(), response };
    }, renew), { tooMany: !pathname.endsWith('/eviction'), twice: isRead(request, pathname) || request.getHttpMethod() === HttpMethod.DELETE, patienceMs });
    return response;
  }

  /** Sends once more what was not let in (401), where a plugin may give something else by now. */
  async #letIn<T extends Answered>(send: () => Promise<T>, renew?: () => Promise<void>): Promise<T> {
    const sentMs = performance.now();
    const answer = await send();
    if (answer.status !== 401 || !this.#credentials.forget(sentMs)) return answer;
    await answer.discard?.().catch(() => undefined);
    await renew?.();
    return await send();
  }
}

/** A refusal is an answer. */
function refusalIn(error: unknown): Refused {
  if (error instanceof Refused) return error;
  throw error;
}

/** Questions about rights are put as objects to be made, which nobody keeps. */
function isRead(request: RequestContext, pathname: string): boolean {
  return request.getHttpMethod() === HttpMethod.GET || pathname.endsWith('/selfsubjectaccessreviews');
}

/** The HTTP status an API server refused with, where a UserError of `ask` comes from that. */
export function statusOf(error: unknown): number | undefined {
  return error instanceof UserError && error.cause instanceof ApiException ? error.cause.code : undefined;
}

function explain(error: unknown): string {
  if (error instanceof ApiException) {
    const body: unknown = error.body;
    const text = typeof body === 'string' ? messageIn(body) : (body as { message?: string } | undefined)?.message;
    return `${error.code} ${text === undefined || text === '' ? STATUS_CODES[error.code] ?? 'without a word' : text}`;
  }
  return error instanceof Error && error.cause instanceof Error ? `${messageOf(error)}: ${messageOf(error.cause)}` : messageOf(error);
}
