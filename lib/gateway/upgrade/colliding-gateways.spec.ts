import { WebSocketGateway } from '@nestjs/websockets';
import { describe, expect, it } from 'vitest';
import { refuseCollidingGateways } from './colliding-gateways.js';

const WS_ADAPTER = { wsServersRegistry: new Map([[0, []]]) } as never;
const IO_ADAPTER = {} as never;

function gateway(...args: unknown[]) {
  class OwnGateway {}
  WebSocketGateway(...(args as []))(OwnGateway);
  return { isNotMetatype: false, metatype: OwnGateway };
}

describe('A gateway of the application', () => {
  it.each<[string, ReturnType<typeof gateway>, adapter: never, path: string]>([
    ['with the same path', gateway({ path: '/ws' }), IO_ADAPTER, '/ws'],
    ['with the same path, written otherwise', gateway({ path: 'ws/' }), WS_ADAPTER, '/ws'],
    ['without a path at the root', gateway(), WS_ADAPTER, '/'],
    ['without a path at that of socket.io', gateway(), IO_ADAPTER, '/socket.io'],
    ['whose port is that of the application', gateway(0, { path: '/ws' }), WS_ADAPTER, '/ws'],
  ])('%s is refused', (_what, own, adapter, path) => {
    expect(() => refuseCollidingGateways([own], adapter, new Set([path]))).toThrow(`OwnGateway: @WebSocketGateway()`);
  });

  it.each<[string, ReturnType<typeof gateway>, adapter: never]>([
    ['with another path', gateway({ path: '/ws/own' }), WS_ADAPTER],
    ['with a port of its own', gateway(81, { path: '/ws' }), WS_ADAPTER],
    ['that Nest does not serve', { ...gateway({ path: '/ws' }), isNotMetatype: true }, WS_ADAPTER],
    ['with a namespace alone', gateway({ namespace: '/ws' }), IO_ADAPTER],
  ])('%s is let be', (_what, own, adapter) => {
    expect(() => refuseCollidingGateways([own], adapter, new Set(['/ws']))).not.toThrow();
  });

  it('is distinguished from other providers', () => {
    expect(() =>
      refuseCollidingGateways([{ isNotMetatype: false, metatype: class {} }], null as never, new Set(['/'])),
    ).not.toThrow();
  });
});
