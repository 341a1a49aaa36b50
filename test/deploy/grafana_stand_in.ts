/**
 * Answers in place of Grafana in try_compose.ts: /api/health on port 3000 says whether the files that Grafana would read are there and
 * readable, and what it reaches. One file, because it runs alone in its image.
 */

import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';

const reads = (path: string | undefined, part: string) => {
  try {
    return readFileSync(path ?? '', 'utf8').includes(part);
  } catch {
    return false;
  }
};
const answers = (url: string) =>
  fetch(url, { signal: AbortSignal.timeout(1000) }).then(
    ({ ok }) => ok,
    () => false,
  );

createServer(async (_, response) => {
  const [prometheus, ...relay] = await Promise.all(
    ['http://prometheus:9090/-/ready', 'http://relay:9464/healthz', 'http://relay:7800/healthz'].map(answers),
  );
  const found = {
    password: reads(process.env.GF_SECURITY_ADMIN_PASSWORD__FILE, ''),
    datasource: reads('/etc/grafana/provisioning/datasources/hotmic.yaml', 'datasources:'),
    provider: reads('/etc/grafana/provisioning/dashboards/hotmic.yaml', 'providers:'),
    dashboard: reads(process.env.GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH, '"panels"'),
    prometheus,
    relay: relay.includes(true),
  };
  response.end(JSON.stringify(found));
}).listen(3000);
process.on('SIGTERM', () => process.exit(0));
