import type { ArgumentsHost } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import { connectionOf } from '../../test/helpers/handler-harness.js';
import { HandlerContext, realtimeContextOf } from '../decorators/realtime-context.js';
import type { HandlerArgs } from './handler-args.js';
import { HandlerArgumentsHost } from './handler-arguments-host.js';

const ann = connectionOf('ann');
const context = new HandlerContext('message', ann);
const args: HandlerArgs = [ann, { n: 1 }, context, 'say'];
const host: ArgumentsHost = new HandlerArgumentsHost(args);

describe('what an exception filter is given', () => {
  it('is of type ws', () => {
    expect(host.getType()).toBe('ws');
  });

  it('has client, payload and pattern where filters for gateways look', () => {
    const ws = host.switchToWs();

    expect([ws.getClient(), ws.getData(), ws.getPattern()]).toEqual([ann, { n: 1 }, 'say']);
  });

  it('has the arguments of the call, in order', () => {
    expect([host.getArgs(), host.getArgByIndex(3)]).toEqual([args, 'say']);
  });

  it('has them where filters for other transports look', () => {
    const [http, rpc] = [host.switchToHttp(), host.switchToRpc()];

    expect([http.getRequest(), http.getResponse(), http.getNext()]).toEqual([ann, { n: 1 }, context]);
    expect([rpc.getData(), rpc.getContext()]).toEqual([ann, { n: 1 }]);
  });

  it('leads to the RealtimeContext', () => {
    expect(realtimeContextOf(host)).toBe(context);
  });
});
