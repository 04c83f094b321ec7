import { describe, expect, it } from 'vitest';
import { aRun } from './a-run.js';
import { bars } from './bars.js';
import { curves } from './curves.js';
import { COSTS, GROWTH } from './measures.js';
import { picture, text } from './svg.js';

/** The numbers of an attribute, in the order in which they stand in a picture. */
function numbers(svg: string, pattern: RegExp): number[] {
  return Array.from(svg.matchAll(pattern), ([, value]) => Number(value));
}

describe('bars', () => {
  const svg = bars('costs', COSTS.slice(0, 1), [aRun({ row: 'a', cpuMicros: 5 }), aRun({ row: 'b', cpuMicros: 20 })]);

  it('are as long as what they stand for, and say it', () => {
    const [short, long] = numbers(svg, /class="bar[^>]* width="([\d.]+)"/g);
    expect(long! / short!).toBeCloseTo(4, 1);
    expect(svg).toMatch(/>5\.00<.*>20\.0</s);
  });

  it('name the measure, its unit and the servers', () => {
    for (const words of [COSTS[0]!.title, COSTS[0]!.unit, '>a<', '>b<']) expect(svg).toContain(words);
  });

  it('have no length where a server was not measured', () => {
    const partly = bars('costs', COSTS.slice(0, 1), [aRun({ row: 'a' }), aRun({ row: 'b', lost: 1 })]);
    expect(numbers(partly, /class="bar[^>]* width="([\d.]+)"/g).at(-1)).toBe(0);
    expect(partly).toContain('>–<');
  });

  it('are left out where nothing was measured', () => {
    expect(bars('costs', COSTS.slice(4, 5), [aRun({ row: 'a' })])).not.toContain(COSTS[4]!.title);
  });
});

describe('curves', () => {
  const grown = [100, 1_000, 10_000].map((connections) =>
    aRun({ row: 'a', workload: `c-${connections}`, grows: 'connections', connections, cpuMicros: 8 }),
  );
  const svg = curves('growth', GROWTH.slice(0, 1), grown);

  it('are level where costs do not grow, and go by powers of ten', () => {
    const heights = numbers(svg, /cy="([\d.]+)"/g);
    const [first, second, third] = numbers(svg, /cx="([\d.]+)"/g);
    expect(new Set(heights).size).toBe(1);
    expect(second! - first!).toBeCloseTo(third! - second!, 0);
  });

  it('name the axes', () => {
    for (const words of ['>connections<', '>1,000<', '>per CPU-second<']) expect(svg).toContain(words);
  });

  it('leave a panel empty for which nothing was measured', () => {
    expect(curves('growth', GROWTH.slice(2, 3), grown)).not.toContain('circle');
  });
});

it('writes names as text, whatever they are', () => {
  expect(picture(1, 1, 'a < b', [text(0, 0, '"<&>"', 'label')])).toContain('&quot;&lt;&amp;&gt;&quot;');
});

it('has a ground of its own for light and for dark pages', () => {
  const svg = picture(1, 1, 't', []);
  expect(svg).toContain('prefers-color-scheme: dark');
  expect(svg).toContain('class="paper"');
});
