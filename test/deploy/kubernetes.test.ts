import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { parseAllDocuments } from 'yaml';
import { ROOT, read } from '../documents/documents.ts';
import { needsPrograms } from '../helpers/programs.ts';
import { problemsOf } from './settings.ts';

/** A part of a Kubernetes object. */
interface Node {
  readonly [key: string]: Node & readonly Node[] & string & number;
}

const NAME = 'leadway-bff';
const SELECTED = { 'app.kubernetes.io/name': NAME };

/** The API versions that Kubernetes 1.25 and newer have, by kind; ServiceMonitor is the Prometheus operator's. */
const API_VERSIONS: Readonly<Record<string, string>> = {
  ConfigMap: 'v1',
  Service: 'v1',
  Deployment: 'apps/v1',
  Ingress: 'networking.k8s.io/v1',
  NetworkPolicy: 'networking.k8s.io/v1',
  PodDisruptionBudget: 'policy/v1',
  HorizontalPodAutoscaler: 'autoscaling/v2',
  ServiceMonitor: 'monitoring.coreos.com/v1',
};

/** The keys that each part may have: a mistyped one would be ignored or rejected by the cluster. */
const KEYS: Readonly<Record<string, readonly string[]>> = {
  pod: [
    ...['automountServiceAccountToken', 'containers', 'enableServiceLinks', 'securityContext'],
    ...['terminationGracePeriodSeconds', 'topologySpreadConstraints', 'volumes'],
  ],
  container: [
    ...['envFrom', 'image', 'lifecycle', 'livenessProbe', 'name', 'ports', 'readinessProbe', 'resources'],
    ...['securityContext', 'startupProbe', 'volumeMounts'],
  ],
  probe: ['failureThreshold', 'httpGet', 'periodSeconds', 'timeoutSeconds'],
};

function build(folder: string): ReadonlyMap<string, Node> {
  const text = execFileSync('kubectl', ['kustomize', `${ROOT}deploy/kubernetes/${folder}`], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const objects = parseAllDocuments(text).map((document) => document.toJS() as Node);
  return new Map(objects.map((object) => [String(object['kind']), object]));
}

const list = (part: Node | undefined): readonly Node[] => Object.values(part ?? {}) as Node[];

const assertKeys = (part: Node | undefined, kind: string): void => {
  const unknown = Object.keys(part ?? {}).filter((key) => !KEYS[kind]?.includes(key));
  assert.deepEqual(unknown, [], `${kind}: ${unknown.join()}`);
};

describe('deploy/kubernetes', () => {
  before('kubectl is installed', function () {
    needsPrograms(this, 'kubectl');
  });

  for (const folder of ['base', 'overlays/production']) {
    describe(folder, () => {
      let objects: ReadonlyMap<string, Node>;
      let pod: Node;
      let container: Node;
      before(() => {
        objects = build(folder);
        pod = get('Deployment', 'spec', 'template', 'spec');
        container = get('Deployment', 'spec', 'template', 'spec', 'containers', '0');
      });
      const get = (kind: string, ...path: string[]): Node => {
        let part: Node | undefined = objects.get(kind);
        for (const key of path) part = part?.[key];
        assert(part !== undefined, `${kind}.${path.join('.')} is missing`);
        return part;
      };

      it('has one object of each kind, by one name, of an API that is current', () => {
        assert.deepEqual([...objects.keys()].toSorted(), Object.keys(API_VERSIONS).toSorted());
        for (const [kind, object] of objects) {
          assert.equal(object['apiVersion'], API_VERSIONS[kind], kind);
          assert.equal(object['metadata']?.['name'], NAME, kind);
          assert.deepEqual(object['metadata']?.['labels'], SELECTED, kind);
        }
      });

      it('selects the pods by the label that they have', () => {
        assert.deepEqual(get('Deployment', 'spec', 'template', 'metadata', 'labels'), SELECTED);
        for (const path of [
          ['Deployment', 'spec', 'selector', 'matchLabels'],
          ['Service', 'spec', 'selector'],
          ['PodDisruptionBudget', 'spec', 'selector', 'matchLabels'],
          ['NetworkPolicy', 'spec', 'podSelector', 'matchLabels'],
          ['ServiceMonitor', 'spec', 'selector', 'matchLabels'],
        ] as const) {
          const [kind, ...rest] = path;
          assert.deepEqual(get(kind, ...rest), SELECTED, kind);
        }
      });

      it('connects ports by names that exist', () => {
        const names = list(container['ports']).map(({ name }) => String(name));
        assert.deepEqual(names, ['http', 'admin']);
        const ports = list(get('Service', 'spec', 'ports'));
        for (const { name, targetPort } of ports)
          assert.deepEqual([name, names.includes(String(targetPort))], [targetPort, true]);
        for (const probe of ['startupProbe', 'livenessProbe', 'readinessProbe']) {
          assertKeys(container[probe], 'probe');
          assert.equal(container[probe]?.['httpGet']?.['port'], 'http');
        }
        assert.equal(container['readinessProbe']?.['httpGet']?.['path'], '/readyz');
        assert.equal(container['livenessProbe']?.['httpGet']?.['path'], '/healthz');
        const [rule] = list(get('Ingress', 'spec', 'rules'));
        const service = rule?.['http']?.['paths']?.[0]?.['backend']?.['service'];
        assert.deepEqual(service, { name: NAME, port: { name: 'http' } });
        assert.equal(get('ServiceMonitor', 'spec', 'endpoints')[0]?.['port'], 'admin');
      });

      it('meets the restricted pod security standard', () => {
        assertKeys(pod, 'pod');
        assertKeys(container, 'container');
        const user = Number(/^USER (\d+):/m.exec(read('deploy/Dockerfile'))?.[1]);
        const { runAsNonRoot, runAsUser, seccompProfile } = get(
          'Deployment',
          'spec',
          'template',
          'spec',
          'securityContext',
        );
        assert.deepEqual([runAsNonRoot, runAsUser, seccompProfile], [true, user, { type: 'RuntimeDefault' }]);
        assert.deepEqual(container['securityContext'], {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        });
        assert.equal(pod['automountServiceAccountToken'], false);
        assert.equal(pod['enableServiceLinks'], false);
      });

      it('gives uploads the time to finish', () => {
        const settings = get('ConfigMap', 'data') as unknown as Readonly<Record<string, string>>;
        const command = container['lifecycle']?.['preStop']?.['exec']?.['command'];
        assert(Array.isArray(command) && command[0] === 'node', 'the image has node and no shell');
        const preStopMs = Number(/, (\d+_\d+)\)$/.exec(command[2])?.[1]?.replace('_', ''));
        const neededMs =
          preStopMs + Number(settings['SHUTDOWN_DELAY_MS']) + Number(settings['SHUTDOWN_GRACE_MS']);
        assert(Number(pod['terminationGracePeriodSeconds']) * 1000 > neededMs, `${neededMs}`);
      });

      it('has settings that the server takes, from files that the secret has', () => {
        const settings = get('ConfigMap', 'data') as unknown as Readonly<Record<string, string>>;
        const mount = container['volumeMounts']?.[0]?.['mountPath'];
        assert.equal(pod['volumes']?.[0]?.['secret']?.['secretName'], NAME);
        const page = read('docs/deployment/kubernetes.md');
        const entry = /ENTRYPOINT \["node", "(.+)"\]/.exec(read('deploy/Dockerfile'))?.[1];
        assert(page.includes(`node ${entry} --self-test`), 'the page’s self-test runs what the image does');
        for (const [name, path] of Object.entries(settings).filter(([key]) => key.endsWith('_FILE'))) {
          assert(path.startsWith(`${mount}/`), name);
          assert(page.includes(`${path.slice(`${mount}/`.length)}=`), `${path} is in the page's secret`);
        }
        assert.deepEqual(problemsOf({ LEADWAY_LOCATION_ID: 'location1', ...settings }), []);
      });

      it('has an ingress that passes uploads on as they arrive, with the limits of the nginx file', () => {
        const annotations = get('Ingress', 'metadata', 'annotations') as unknown as Readonly<
          Record<string, string>
        >;
        const nginx = read('deploy/proxies/nginx.conf');
        for (const [name, directive] of [
          ['proxy-body-size', 'client_max_body_size'],
          ['proxy-request-buffering', 'proxy_request_buffering'],
          ['proxy-next-upstream', 'proxy_next_upstream'],
          ['proxy-connect-timeout', 'proxy_connect_timeout'],
          ['proxy-send-timeout', 'proxy_send_timeout'],
          ['proxy-read-timeout', 'proxy_read_timeout'],
        ]) {
          const value = new RegExp(`\\b${directive} ([\\w ]+);`).exec(nginx)?.[1]?.replace(/^(\d+)s$/, '$1');
          assert.equal(annotations[`nginx.ingress.kubernetes.io/${name}`], value, name);
        }
      });

      it('scales by CPU and by uploads in flight, and keeps all but one pod at a time', () => {
        const metrics = list(get('HorizontalPodAutoscaler', 'spec', 'metrics'));
        assert.equal(metrics[0]?.['resource']?.['name'], 'cpu');
        assert.equal(metrics[1]?.['pods']?.['metric']?.['name'], 'leadway_bff_uploads_in_flight');
        assert.equal(get('HorizontalPodAutoscaler', 'spec', 'scaleTargetRef', 'name'), NAME);
        assert.equal(get('Deployment', 'spec')['replicas'], undefined, 'they are the autoscaler’s');
        assert.equal(get('PodDisruptionBudget', 'spec', 'maxUnavailable'), 1);
      });

      it('reaches the outside, Redis and clamd, and nothing else in the cluster', () => {
        assert.deepEqual(get('NetworkPolicy', 'spec', 'policyTypes'), ['Ingress', 'Egress']);
        const egress = list(get('NetworkPolicy', 'spec', 'egress'));
        const outside = egress.map(({ to }) => to?.[0]?.['ipBlock']).find((block) => block !== undefined);
        for (const network of ['10.0.0.0/8', '169.254.0.0/16']) {
          assert(list(outside?.['except']).map(String).includes(network), network);
        }
      });
    });
  }
});
