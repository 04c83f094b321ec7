import { describe, expect, it } from 'vitest';
import { PaceWindows, type PaceWindow } from './pace-windows.js';

interface Reader {
  window: PaceWindow<Reader> | undefined;
}

function stage() {
  const open = new Set<PaceWindow<Reader>>();
  const windows = new PaceWindows<Reader>({
    beginWindow: (window) => void open.add(window),
    cancelWindow: (window) => void open.delete(window),
  });
  return { windows, open, reader: (): Reader => ({ window: undefined }) };
}

describe('readers that begin to wait', () => {
  it('share a window in the same moment, if their interval is the same', () => {
    const { windows, open, reader } = stage();
    for (const intervalMs of [100, 100, 250, 100]) windows.begin(reader(), intervalMs);
    expect(Array.from(open, ({ intervalMs, readers }) => [intervalMs, readers.size])).toEqual([
      [100, 3],
      [250, 1],
    ]);
  });

  it('share none with those that have begun before', () => {
    const { windows, open, reader } = stage();
    windows.begin(reader(), 100);
    windows.seal();
    windows.begin(reader(), 100);
    expect(open.size).toBe(2);
  });

  it('share none that is over in the same moment', () => {
    const { windows, reader } = stage();
    const [one, other] = [reader(), reader()];
    windows.begin(one, 100);
    const { window } = one;
    windows.end(window!);
    windows.begin(other, 100);
    expect([one.window, other.window === window]).toEqual([undefined, false]);
  });

  it('wait in one window only', () => {
    const { windows, open, reader } = stage();
    const one = reader();
    windows.begin(one, 100);
    windows.seal();
    windows.begin(one, 100);
    expect([open.size, open.has(one.window!)]).toEqual([1, true]);
  });
});

describe('a window that nobody waits for any more', () => {
  it('is cancelled, and not joined by others', () => {
    const { windows, open, reader } = stage();
    const [one, other] = [reader(), reader()];
    windows.begin(one, 100);
    windows.leave(one);
    const left = open.size;
    windows.begin(other, 100);
    expect([left, open.size]).toEqual([0, 1]);
  });
});
