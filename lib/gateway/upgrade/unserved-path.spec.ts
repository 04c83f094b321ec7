import { createServer } from 'node:http';
import { describe, expect, it } from 'vitest';
import { isUnserved } from './unserved-path.js';

const wsAdapter = (...paths: string[]) =>
  ({ wsServersRegistry: new Map([[0, paths.map((path) => ({ path }))]]) }) as never;
const otherAdapter = {} as never;

describe('A path', () => {
  it.each<[string, listeners: number, adapter: never, unserved: boolean]>([
    ['nobody else listens', 1, otherAdapter, true],
    ['somebody else listens', 2, otherAdapter, false],
    ['WsAdapter alone listens, for other paths', 2, wsAdapter('/own', '/'), true],
    ['WsAdapter alone listens, for this path too', 2, wsAdapter('/own', '/a'), false],
    ['somebody listens beside WsAdapter', 3, wsAdapter('/own'), false],
    [
      'somebody listens, and WsAdapter serves other ports only',
      2,
      { wsServersRegistry: new Map([[81, []]]) } as never,
      false,
    ],
  ])('where %s', (_what, listeners, adapter, unserved) => {
    const server = createServer();
    for (let i = 0; i < listeners; i += 1) server.on('upgrade', () => {});
    expect(isUnserved(server, '/a', adapter, 1)).toBe(unserved);
  });
});
