import { createServer, type Server } from 'node:http';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { UpgradeRouter } from './upgrade-router.js';

const ARGS = [{ url: '/ws' }, 'socket', 'head'];

let server: Server;
let router: UpgradeRouter;
const route = vi.fn<(...args: unknown[]) => boolean>();
const [earlier, later] = [vi.fn(), vi.fn()];

beforeEach(() => {
  vi.resetAllMocks();
  server = createServer();
  router = new UpgradeRouter();
  server.on('upgrade', earlier);
  router.install(server, route);
  server.on('upgrade', later);
});

const upgrade = () => server.emit('upgrade', ...(ARGS as []));

describe('an upgrade request that the route takes', () => {
  beforeEach(() => void route.mockReturnValue(true));

  it('is seen by no other listener, whether added before or after', () => {
    upgrade();
    expect([earlier.mock.calls.length, later.mock.calls.length]).toEqual([0, 0]);
  });

  it('reaches the route with all its arguments', () => {
    upgrade();
    expect(route.mock.calls).toEqual([ARGS]);
  });

  it('counts as handled', () => {
    expect(upgrade()).toBe(true);
  });
});

describe('an upgrade request that the route leaves', () => {
  beforeEach(() => void route.mockReturnValue(false));

  it('is seen by the listeners before and after', () => {
    upgrade();
    expect([earlier.mock.calls, later.mock.calls]).toEqual([[ARGS], [ARGS]]);
  });
});

describe('an upgrade router', () => {
  it('tells an observer every event of the server, until it is taken off', () => {
    const seen: unknown[][] = [];
    const [observed, other] = [createServer(), new UpgradeRouter()];
    other.install(
      observed,
      () => true,
      (event, args) => void seen.push([event, ...args]),
    );
    observed.emit('request', 'a', 'b');
    observed.emit('upgrade', ...(ARGS as []));
    other.uninstall();
    observed.emit('close');
    expect(seen.filter(([event]) => !String(event).endsWith('Listener'))).toEqual([
      ['request', 'a', 'b'],
      ['upgrade', ...ARGS],
    ]);
  });

  it('leaves other events alone', () => {
    const closed = vi.fn();
    server.on('close', closed);
    server.emit('close');
    expect([closed.mock.calls.length, route.mock.calls.length]).toEqual([1, 0]);
  });

  it('listens by itself, for Node asks nobody when nobody listens', () => {
    const alone = createServer();
    new UpgradeRouter().install(alone, () => true);
    expect(alone.listenerCount('upgrade')).toBe(1);
  });

  it('is gone without a trace once it is uninstalled', () => {
    router.uninstall();
    upgrade();
    expect([route.mock.calls.length, earlier.mock.calls.length, server.listenerCount('upgrade')]).toEqual([0, 1, 2]);
  });

  it('leaves in place what somebody else has put before it meanwhile', () => {
    const emit = server.emit;
    const wrapper = vi.fn((...args: Parameters<Server['emit']>) => Reflect.apply(emit, server, args));
    server.emit = wrapper as never;
    router.uninstall();
    upgrade();
    expect(wrapper).toHaveBeenCalledOnce();
  });

  it('serves another server beside the first, and leaves it alone once it is taken off', () => {
    route.mockReturnValue(true);
    const second = createServer();
    const uninstall = router.install(second, route);
    second.emit('upgrade', ...(ARGS as []));
    uninstall();
    second.emit('upgrade', ...(ARGS as []));
    upgrade();
    expect([route.mock.calls.length, second.listenerCount('upgrade')]).toEqual([2, 0]);
  });

  it('asks its route once for a request to a server that it was installed on twice', () => {
    router.install(server, route);
    upgrade();
    expect([route.mock.calls.length, router.listenersOn(server)]).toEqual([1, 1]);
  });

  it('asks nobody any more, although somebody keeps what it had put there', () => {
    const kept = server.emit;
    router.uninstall();
    Reflect.apply(kept, server, ['upgrade', ...ARGS]);
    expect(route).not.toHaveBeenCalled();
  });

  it('may be uninstalled twice, or without having been installed', () => {
    router.uninstall();
    router.uninstall();
    new UpgradeRouter().uninstall();
    expect(server.listenerCount('upgrade')).toBe(2);
  });
});
