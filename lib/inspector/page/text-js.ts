/** Numbers and times as people read them. */
export const TEXT_JS = String.raw`// Numbers and times as people read them.
const whole = new Intl.NumberFormat('en-US');
const one = new Intl.NumberFormat('en-US', { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const NONE = '–';

export function count(value) {
  return value === undefined ? NONE : whole.format(value);
}

/** Messages per second: with a decimal where it says something. */
export function rate(value) {
  if (value === undefined) return NONE;
  return value > 0 && value < 99.95 ? one.format(value) : whole.format(Math.round(value));
}

export function bytes(value) {
  if (value === undefined) return NONE;
  let rest = value;
  for (const unit of ['B', 'KiB', 'MiB']) {
    if (rest < 1000) return (unit === 'B' ? whole : one).format(rest) + ' ' + unit;
    rest /= 1024;
  }
  return one.format(rest) + ' GiB';
}

export function milliseconds(value) {
  return value === undefined ? NONE : one.format(value) + ' ms';
}

/** How long something has lasted, in its two largest units. */
export function duration(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const parts = [
    [Math.floor(seconds / 86400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [seconds % 60, 's'],
  ];
  const first = parts.findIndex(([value]) => value > 0);
  if (first < 0) return '0 s';
  return parts.slice(first, first + 2).filter(([value], at) => at === 0 || value > 0).map((part) => part.join(' ')).join(' ');
}

const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const date = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'medium' });

export function time(ms) {
  return clock.format(new Date(ms));
}

export function moment(ms) {
  return date.format(new Date(ms));
}

/** The start of an id: enough to tell nodes apart. */
export function short(id) {
  return id === undefined ? NONE : id.length > 10 ? id.slice(0, 8) + '…' : id;
}
`;
