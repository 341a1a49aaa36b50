/** Rows that are drawn again at the bottom of a terminal. */

import t from 'tap';
import { StatusArea } from '../../../cli/terminal/status_area.js';

function terminal(columns = 20, rows = 6) {
  const written: string[] = [];
  return { written, columns, rows, write: (text: string) => written.push(text) };
}

t.test('rows replace those before, and unchanged rows are not written', async (t) => {
  const output = terminal();
  const area = new StatusArea(output);
  area.show(['one', 'two']);
  area.show(['one', 'two']);
  area.show(['three']);
  t.strictSame(output.written, ['one\ntwo', '\r\x1b[1A\x1b[Jthree']);
});

t.test('a line goes above the rows', async (t) => {
  const output = terminal();
  const area = new StatusArea(output);
  area.show(['one', 'two']);
  area.print('news');
  t.equal(output.written.at(-1), '\r\x1b[1A\x1b[Jnews\none\ntwo');
  area.clear();
  t.equal(output.written.at(-1), '\r\x1b[1A\x1b[J');
});

t.test('a terminal that became narrower has wrapped the rows', async (t) => {
  const output = terminal(40);
  const area = new StatusArea(output);
  area.show(['x'.repeat(39), '\x1b[32mshort\x1b[0m']);
  output.columns = 20;
  area.show(['new']);
  t.equal(output.written.at(-1), '\r\x1b[2A\x1b[Jnew');
});

t.test('more rows than the terminal has are left out', async (t) => {
  const output = terminal(20, 3);
  const area = new StatusArea(output);
  area.show(['1', '2', '3', '4']);
  t.equal(output.written.at(-1), '1\n2');
  t.strictSame({ columns: area.columns, rows: area.rows }, { columns: 19, rows: 2 });
  t.match(new StatusArea({ write: () => undefined, columns: 0, rows: 0 }), { columns: 79, rows: 23 });
});
