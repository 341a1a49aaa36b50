/**
 * Writes the documents that are derived from the relay's settings. After a change there, run
 * `node dist/test/cli/relay/write_relay_documents.js`. test/cli/relay/config_documents.test.ts checks that they are up to date.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { configSchema, exampleConfig, settingRows } from '../../../cli/relay/config_text.js';

export const SCHEMA_FILE = 'docs/relay.schema.json';
export const EXAMPLE_FILE = 'docs/relay.example.yaml';
export const SETTINGS_PAGE = 'docs/operating.md';
const TABLE = /<!-- settings -->\n[\s\S]*?<!-- \/settings -->/;

/** The expected content of each file; of the page only the table is generated. */
export function relayDocuments(): Readonly<Record<string, string>> {
  const table = [
    '| setting | flag | default | description |',
    '| --- | --- | --- | --- |',
    ...settingRows(),
  ].join('\n');
  const page = readFileSync(SETTINGS_PAGE, 'utf8');
  return {
    [SCHEMA_FILE]: `${JSON.stringify(configSchema(), null, 2)}\n`,
    [EXAMPLE_FILE]: exampleConfig(),
    [SETTINGS_PAGE]: page.replace(TABLE, () => `<!-- settings -->\n${table}\n<!-- /settings -->`),
  };
}

if (process.argv[1] === import.meta.filename)
  for (const [file, text] of Object.entries(relayDocuments())) writeFileSync(file, text);
