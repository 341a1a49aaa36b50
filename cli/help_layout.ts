/** The layout of help: two columns of at most 80 together; an option too long for its column stands on a line of its own. */

import type { Help, HelpConfiguration, Option } from 'commander';

const INDENT = 2;
const MAX_TERM_COLUMNS = 24;
/** Help is no wider than this, however wide the terminal is. */
const MAX_COLUMNS = 80;
/** A space where lines do not break; in no text. */
const JOINT = '\u0001';

export const HELP_LAYOUT: HelpConfiguration = {
  optionDescription({ description, defaultValue, defaultValueDescription, argChoices }: Option): string {
    const fallback = defaultValueDescription ?? (isShown(defaultValue) ? String(defaultValue) : null);
    const details = [
      ...(argChoices ? [`choices: ${argChoices.join(', ')}`] : []),
      ...(fallback === null ? [] : [`default: ${fallback}`]),
    ];
    return details.length === 0 ? description : `${description} (${details.join('; ')})`;
  },

  formatItem(term: string, termWidth: number, description: string, helper: Help): string {
    const columns = Math.min(termWidth, MAX_TERM_COLUMNS);
    const width = Math.min(helper.helpWidth ?? MAX_COLUMNS, MAX_COLUMNS) - columns - 2 * INDENT;
    // `env: NAME` stays on one line.
    const joined = description.replace(/: (?=\S+[;)])/g, `:${JOINT}`);
    const lines = helper.boxWrap(joined, Math.max(width, 30)).replaceAll(JOINT, ' ').split('\n');
    const indent = ' '.repeat(INDENT);
    const rest = lines.map((line) => ' '.repeat(columns + 2 * INDENT) + line);
    if (term.length > columns) return [indent + term, ...rest].join('\n');
    return [`${indent}${term.padEnd(columns)}${indent}${lines[0]}`, ...rest.slice(1)].join('\n');
  },
};

/** Switches and empty lists have defaults that say nothing. */
function isShown(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'number';
}

/** A command's purpose, and how it is typically called, each call on a line. */
export function purpose(text: string, ...calls: readonly string[]): string {
  return [text, ...(calls.length > 0 ? ['', ...calls.map((call) => `  ${call}`)] : [])].join('\n');
}
