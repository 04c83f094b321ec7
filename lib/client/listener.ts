/** A listener as `WebSocket`s and SDKs take them; each has types of its own for what it hands over. */
// oxlint-disable-next-line typescript/no-explicit-any -- any other type would refuse some of them
export type Listener = (event: any) => void;
