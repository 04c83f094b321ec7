import { beforeEach, describe, expect, it } from 'vitest';
import { NodeLifecycle } from './node-lifecycle.js';

describe('A node', () => {
  let node: NodeLifecycle;

  beforeEach(() => {
    node = new NodeLifecycle();
  });

  it('is refused before it is started, and told when to come', () => {
    expect(() => node.assertRunning()).toThrow('Use RealtimeService from onApplicationBootstrap() on');
  });

  it('is let be while it runs', () => {
    node.started();
    expect(() => node.assertRunning()).not.toThrow();
  });

  it('is refused once it is closed', () => {
    node.started();
    node.closed();
    expect(() => node.assertRunning()).toThrow('The application has been closed');
  });

  it('stays closed when it is closed before it was started', () => {
    node.closed();
    node.started();
    expect(node.isRunning).toBe(false);
  });

  it('refuses with a code that says to try again', () => {
    expect(() => node.assertRunning()).toThrow(expect.objectContaining({ code: 'UNAVAILABLE', retryable: true }));
  });
});
