const LENGTH = 60;
const HEIGHT = 20;

const CHARTS = {
  connections: { figure: '#chart-connections', top: 4, format: (value) => `${value}` },
  memoryMiB: { figure: '#chart-memory', top: 128, format: (value) => `${value.toFixed(0)} MiB` },
  eventLoopPercent: { figure: '#chart-event-loop', top: 5, format: (value) => `${value.toFixed(1)} %` },
};

const sparklines = Object.entries(CHARTS).map(([name, chart]) => [name, createSparkline(chart)]);

/** Adds the newest values to the admin's charts, which show from the first values on. */
export function drawMetrics({ payload }) {
  document.querySelector('#metrics').hidden = false;
  for (const [name, add] of sparklines) add(payload[name]);
}

/** The metrics in one line. */
export function describeMetrics({ connections, memoryMiB, eventLoopPercent }) {
  return `Connections: ${connections}, memory: ${memoryMiB.toFixed(0)} MiB, event loop: ${eventLoopPercent.toFixed(1)} %`;
}

/**
 * Draws the last 60 values into a `<figure>` that holds an SVG of 59 × 20 units and an `<output>`. The scale begins at 0
 * and ends at `top`, or at the highest value in sight when that is more. Returns the function that adds a value.
 */
function createSparkline({ figure: selector, top, format }) {
  const figure = document.querySelector(selector);
  const line = figure.querySelector('polyline');
  const area = figure.querySelector('polygon');
  const output = figure.querySelector('output');
  const values = [];

  return (value) => {
    values.push(value);
    if (values.length > LENGTH) values.shift();
    const first = LENGTH - values.length;
    const scale = (HEIGHT - 1) / Math.max(top, ...values);
    const points = values.map((each, index) => `${first + index},${(HEIGHT - each * scale).toFixed(2)}`);
    line.setAttribute('points', points.join(' '));
    area.setAttribute('points', [`${first},${HEIGHT}`, ...points, `${LENGTH - 1},${HEIGHT}`].join(' '));
    output.textContent = format(value);
  };
}
