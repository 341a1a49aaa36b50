/** The plots of benchmarks. */

import t from 'tap';
import { niceAxis, type Plot, renderPlot } from '../../bench/plot.js';

const plot: Plot = {
  title: 'a & b',
  xLabel: 'x',
  yLabel: 'y',
  xMax: 100,
  xStep: 50,
  yLeast: 1,
  series: [
    { name: 'curve', color: '#cccccc', mark: 'line' },
    { name: 'ours', color: '#0000ff', mark: 'circle' },
  ],
  panels: [
    {
      title: 'one',
      subtitle: '',
      points: {
        curve: [
          { x: 0, y: 40 },
          { x: 100, y: 0 },
        ],
        ours: [
          { x: 50, y: 4, label: 'ours' },
          { x: 250, y: 0, label: 'far' },
        ],
      },
    },
  ],
  columns: 1,
};

t.test('an axis ends at a round number above its figures, in steps of 1, 2 or 5', async (t) => {
  t.same(niceAxis(7), { top: 8, step: 2 });
  t.same(niceAxis(0.5), { top: 0.6000000000000001, step: 0.2 });
  t.same(niceAxis(20), { top: 20, step: 5 });
});

t.test('a point beyond the axis is drawn at the edge, with its value', async (t) => {
  const svg = renderPlot(plot);
  t.match(svg, />far 250 →</);
  const [ours, far] = [...svg.matchAll(/<circle cx="([\d.]+)" cy="([\d.]+)" r="5.5"/g)].slice(1);
  t.ok(Number(far?.[1]) > Number(ours?.[1]) && Number(far?.[1]) <= 270, 'within the panel');
});

t.test('the scale follows the points, and a line is cut at the top', async (t) => {
  const svg = renderPlot(plot);
  // Points reach 4, so the axis ends at 6; the line comes in from above.
  t.notMatch(svg, />40</);
  const line = /<polyline points="([^"]+)"/.exec(svg)?.[1]?.split(' ');
  t.equal(line?.length, 2);
  t.equal(line?.[0]?.split(',')[1], '56.0', 'at the upper edge');
});

t.test('text is escaped', async (t) => {
  t.match(renderPlot(plot), /<title>a &amp; b<\/title>/);
});
