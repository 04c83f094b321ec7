/** Topics whose messages must not be lost. */
export const ROOMS = ['room:1', 'room:2', 'room:3', 'room:4'];

/** Topics with more messages than a client can read. */
export const NOISY_ROOM = 'room:noisy';
