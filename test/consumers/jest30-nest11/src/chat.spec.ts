import { talk } from './chat';

it('delivers a message', async () => {
  expect(await talk()).toEqual({ from: '42', text: 'hello' });
});
