import { allow, OnSubscribe, type AllowOptions, type SubscriptionPermit } from 'nestjs-realtime';

/*
 * Code that the type checker must accept, and code that it must refuse (each line under an @ts-expect-error). Nothing runs here.
 */

const options: AllowOptions = { info: { name: 'Ann' }, data: [1, null] };

export class Rooms {
  @OnSubscribe() join(): boolean | SubscriptionPermit {
    return allow(options);
  }

  @OnSubscribe() async later(): Promise<SubscriptionPermit> {
    return allow();
  }
}

export const refused: unknown[] = [
  // @ts-expect-error -- there is no such option
  allow({ date: 1 }),
  // @ts-expect-error -- only allow() makes a permit
  { data: 1 } satisfies SubscriptionPermit,
];
