/** The names of Steam's numbers, for messages. */

/** The first name of a value in a table such as `Result`, or a text for a number that is not in it. */
export function nameOf(names: Readonly<Record<string, number>>, value: number): string {
  return Object.keys(names).find((name) => names[name] === value) ?? 'a result without a name';
}
