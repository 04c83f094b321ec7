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

  it('reaches no other listener, whether added before or after', () => {
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

describe('an upgrade request that the route declines', () => {
  beforeEach(() => void route.mockReturnValue(false));

  it('reaches the listeners added before and after', () => {
    upgrade();
    expect([earlier.mock.calls, later.mock.calls]).toEqual([[ARGS], [ARGS]]);
  });
});

describe('an upgrade router', () => {
  it('passes every event of the server to an observer until it is uninstalled', () => {
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

  it('adds a listener of its own, without which Node emits no upgrade', () => {
    const alone = createServer();
    new UpgradeRouter().install(alone, () => true);
    expect(alone.listenerCount('upgrade')).toBe(1);
  });

  it('leaves no trace once it is uninstalled', () => {
    router.uninstall();
    upgrade();
    expect([route.mock.calls.length, earlier.mock.calls.length, server.listenerCount('upgrade')]).toEqual([0, 1, 2]);
  });

  it('leaves a wrapper in place that other code has added since', () => {
    const emit = server.emit;
    const wrapper = vi.fn((...args: Parameters<Server['emit']>) => Reflect.apply(emit, server, args));
    server.emit = wrapper as never;
    router.uninstall();
    upgrade();
    expect(wrapper).toHaveBeenCalledOnce();
  });

  it('serves a second server until it is uninstalled there', () => {
    route.mockReturnValue(true);
    const second = createServer();
    const uninstall = router.install(second, route);
    second.emit('upgrade', ...(ARGS as []));
    uninstall();
    second.emit('upgrade', ...(ARGS as []));
    upgrade();
    expect([route.mock.calls.length, second.listenerCount('upgrade')]).toEqual([2, 0]);
  });

  it('calls its route once per request on a server that it was installed on twice', () => {
    router.install(server, route);
    upgrade();
    expect([route.mock.calls.length, router.listenersOn(server)]).toEqual([1, 1]);
  });

  it('no longer calls its route after uninstalling, even through a kept reference', () => {
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
