/**
 * deploy/compose.yaml agrees with the image, with the files that it mounts, and with a real relay. `make try-compose` starts it with a
 * real Docker.
 */

import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { parse } from 'yaml';
import { runCli, startCli } from '../kit/cli.js';

interface Service {
  readonly image: string;
  readonly build?: { readonly context: string; readonly dockerfile: string };
  readonly environment?: Readonly<Record<string, string>>;
  readonly command?: readonly string[];
  readonly ports: readonly string[];
  readonly networks: readonly string[];
  readonly secrets?: readonly (string | { readonly source: string; readonly target: string })[];
  readonly configs?: readonly { readonly source: string; readonly target: string }[];
  readonly volumes: readonly string[];
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly read_only: boolean;
  readonly cap_drop: readonly string[];
  readonly security_opt: readonly string[];
  readonly pids_limit: number;
  readonly mem_limit: string;
  readonly logging: { readonly driver: string };
  readonly stop_grace_period?: string;
  readonly ulimits?: { readonly nofile: { readonly soft: number; readonly hard: number } };
}
interface Compose {
  readonly services: Readonly<Record<'relay' | 'prometheus' | 'grafana', Service>>;
  readonly networks: Readonly<Record<string, { readonly internal?: boolean }>>;
  readonly volumes: Readonly<Record<string, unknown>>;
  readonly secrets: Readonly<Record<string, { readonly file: string }>>;
  readonly configs: Readonly<Record<string, { readonly file: string }>>;
}

const read = (name: string) => readFileSync(join('deploy', name), 'utf8');
const yaml = (name: string) => parse(read(name), { merge: true });
const compose = yaml('compose.yaml') as Compose;
const { relay, prometheus, grafana } = compose.services;
const services = Object.entries(compose.services);
const scraping = yaml('prometheus.yml');
const [source] = yaml('grafana/datasource.yaml').datasources;
const [provider] = yaml('grafana/dashboards.yaml').providers;

const image = read('Dockerfile');
const cmd = JSON.parse(/^CMD (\[.*\])$/m.exec(image)![1]!) as string[];
const after = (flag: string) => cmd[cmd.indexOf(flag) + 1]!;

/** The file in deploy/ that a service finds at `target`. */
function mounted(service: Service, target: string): string | undefined {
  const config = service.configs?.find((one) => one.target === target);
  return config && compose.configs[config.source]?.file;
}

t.test('only the port for players is published to the world', async (t) => {
  t.same(relay.ports, [`0.0.0.0:\${HOTMIC_PORT:-7800}:${after('--port')}`]);
  t.match(image, `EXPOSE ${after('--port')}\n`);
  t.match(prometheus.ports, [/^127\.0\.0\.1:\$\{HOTMIC_PROMETHEUS_PORT:-9090\}:9090$/]);
  t.match(grafana.ports, [/^127\.0\.0\.1:\$\{HOTMIC_GRAFANA_PORT:-3000\}:3000$/]);
  for (const [name, { ports }] of services) t.equal(ports.length, 1, name);
  t.same(Object.keys(compose.services), ['relay', 'prometheus', 'grafana']);
});

t.test('Prometheus reaches the relay over a network without a way out, and Grafana does not', async (t) => {
  const common = (a: Service, b: Service) => a.networks.filter((name) => b.networks.includes(name));
  t.same(common(relay, prometheus), ['metrics']);
  t.same(common(relay, grafana), []);
  t.equal(common(prometheus, grafana).length, 1);
  t.equal(compose.networks.metrics!.internal, true);
  for (const [name, { networks }] of services) {
    for (const network of networks) t.ok(network in compose.networks, `${name}: ${network}`);
    // Docker publishes no port of a container that is in internal networks only.
    t.ok(
      networks.some((network) => !compose.networks[network]!.internal),
      name,
    );
  }
});

t.test('images are pinned, and the relay is built with our Dockerfile', async (t) => {
  t.same(relay.build, { context: '..', dockerfile: 'deploy/Dockerfile' });
  t.match(prometheus.image, /^prom\/prometheus:v3\.\d+\.\d+$/);
  t.match(grafana.image, /^grafana\/grafana:1[2-9]\.\d+\.\d+$/);
});

t.test('every service is restricted and bounded, and has a health check', async (t) => {
  for (const [name, service] of services) {
    t.equal(service.read_only, true, name);
    t.same(service.cap_drop, ['ALL'], name);
    t.same(service.security_opt, ['no-new-privileges:true'], name);
    t.ok(service.pids_limit > 0, name);
    t.match(service.mem_limit, /^\dg$/, name);
    t.equal(service.logging.driver, 'local', name);
    t.ok(service.healthcheck ?? (name === 'relay' && /^HEALTHCHECK /m.test(image)), name);
  }
  for (const limit of ['time=30d', 'size=4GB']) {
    t.ok(prometheus.command?.includes(`--storage.tsdb.retention.${limit}`), limit);
  }
});

t.test(
  'the relay gets as many open files as under systemd, and more time than its drain takes',
  async (t) => {
    const [, files] = /^LimitNOFILE=(\d+)$/m.exec(read('hotmic-relay.service')) ?? [];
    t.same(relay.ulimits?.nofile, { soft: Number(files), hard: Number(files) });
    t.ok(Number(/^(\d+)s$/.exec(relay.stop_grace_period!)![1]) > Number(after('--drain')));
  },
);

t.test('every mounted file exists, in the folder that the package contains', async (t) => {
  for (const [name, { file }] of Object.entries(compose.configs)) {
    t.notMatch(file, /\.\.|^\//, name);
    t.ok(existsSync(join('deploy', file)), `${name}: deploy/${file}`);
  }
  const used = services.flatMap(([, { configs = [] }]) => configs.map((config) => config.source));
  t.same(used.toSorted(), Object.keys(compose.configs).toSorted(), 'each is used once');
  t.ok(JSON.parse(readFileSync('package.json', 'utf8')).files.includes('deploy'));
});

t.test('secrets are files outside the package', async (t) => {
  for (const { file } of Object.values(compose.secrets)) t.match(file, /^\$\{HOTMIC_SECRETS:\?[^}]+\}\//);
  t.same(relay.secrets, [{ source: 'keys', target: after('--token-keys') }]);
  t.same(grafana.secrets, ['grafana-password']);
  t.equal(grafana.environment?.GF_SECURITY_ADMIN_PASSWORD__FILE, '/run/secrets/grafana-password');
});

t.test('the file of mutes and bans is in a volume that belongs to the relay’s user', async (t) => {
  const folder = dirname(relay.environment!.HOTMIC_RELAY_SANCTIONS_FILE!);
  t.same(relay.volumes, [`sanctions:${folder}`]);
  t.match(image, `RUN install -d -o node -g node -m 700 ${folder}\n`);
  const volumes = services.flatMap(([, service]) => service.volumes.map((volume) => volume.split(':')[0]!));
  t.same(volumes.toSorted(), Object.keys(compose.volumes).toSorted());
});

t.test('Prometheus evaluates the alarms of deploy/, and keeps its data in the volume', async (t) => {
  t.equal(mounted(prometheus, '/etc/prometheus/prometheus.yml'), 'prometheus.yml');
  t.ok(prometheus.command?.includes('--config.file=/etc/prometheus/prometheus.yml'));
  t.equal(scraping.rule_files.length, 1);
  t.equal(mounted(prometheus, scraping.rule_files[0]), 'prometheus-alerts.yml');
  const [, folder] = prometheus.volumes[0]!.split(':');
  t.ok(prometheus.command?.includes(`--storage.tsdb.path=${folder}`));
});

t.test('Grafana reads Prometheus, and shows the dashboard of deploy/ at its start', async (t) => {
  t.equal(source.type, 'prometheus');
  t.equal(source.url, 'http://prometheus:9090');
  t.equal(source.isDefault, true);
  t.equal(source.jsonData.timeInterval, scraping.global.scrape_interval);
  const home = grafana.environment!.GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH!;
  t.equal(mounted(grafana, home), 'grafana-dashboard.json');
  t.equal(provider.options.path, dirname(home));
  for (const [folder, file] of [
    ['datasources', 'grafana/datasource.yaml'],
    ['dashboards', 'grafana/dashboards.yaml'],
  ] as const) {
    t.equal(mounted(grafana, `/etc/grafana/provisioning/${folder}/hotmic.yaml`), file);
  }
});

t.test('the dashboard takes the default data source', async (t) => {
  const { templating, panels } = JSON.parse(read('grafana-dashboard.json'));
  const [variable] = templating.list;
  t.match(variable, { name: 'datasource', type: 'datasource', query: source.type, current: {} });
  for (const { title, datasource } of panels) {
    t.same(datasource, { type: source.type, uid: `\${${variable.name}}` }, title);
  }
});

t.test('the relay accepts what image and compose file set, with and without a certificate', async (t) => {
  const tls = yaml('compose.tls.yaml').services;
  t.same(Object.keys(tls), ['relay']);
  const [mount] = tls.relay.volumes as [string];
  const [, folder] = /^\$\{HOTMIC_TLS:\?[^}]+\}:(\/[\w/]+):ro$/.exec(mount)!;
  for (const path of Object.values<string>(tls.relay.environment)) t.equal(dirname(path), folder);
  for (const env of [relay.environment!, { ...relay.environment, ...tls.relay.environment }]) {
    const { code, stdout, stderr } = await runCli(t, ['relay', ...cmd, '--print-config'], { env });
    t.equal(code, 0, stderr);
    for (const value of Object.values<string>(env)) t.ok(stdout.includes(value), value);
  }
});

t.test('the relay accepts the variables of the page for operators', async (t) => {
  const [, block = ''] =
    /^ {6}services:\n((?: {6}.*\n)+)/m.exec(readFileSync('docs/operating.md', 'utf8')) ?? [];
  const own = parse(`services:\n${block.replace(/^ {6}/gm, '')}`) as Pick<Compose, 'secrets'> & {
    readonly services: { readonly relay: { readonly environment: Record<string, string | number> } };
  };
  const set = Object.entries(own.services.relay.environment).map(([name, value]) => [name, `${value}`]);
  t.ok(set.length > 3);
  t.match(own.secrets['admin-token']?.file, /^\$\{HOTMIC_SECRETS\}\//);
  const env = { ...relay.environment, ...(Object.fromEntries(set) as Record<string, string>) };
  const { code, stdout, stderr } = await runCli(t, ['relay', ...cmd, '--print-config'], { env });
  t.equal(code, 0, stderr);
  for (const [, value] of set) t.ok(stdout.includes(value!), value!);
});

t.test('the scrape target is the relay’s operations port, and its metrics are there', async (t) => {
  const [job] = scraping.scrape_configs;
  t.equal(scraping.scrape_configs.length, 1);
  t.same(job.static_configs, [{ targets: [`relay:${after('--operations-port')}`] }]);
  // On this machine, and on free ports.
  const path = job.metrics_path ?? '/metrics';
  const running = startCli(t, ['relay', '--dev', '--port', '0', '--operations-port', '0', '--log', 'json']);
  const [, url] = await running.printed('stderr', /"operationsUrl":"([^"]+)"/);
  const answer = await fetch(new URL(path, url));
  t.equal(answer.status, 200);
  t.match(answer.headers.get('content-type'), /^text\/plain; version=0\.0\.4/);
  t.match(await answer.text(), /^hotmic_ready 1$/m);
  running.signal('SIGTERM');
  t.equal((await running.ended).code, 0);
});
