/** Where there is talk that must not be lost. */
export const ROOMS = ['room:1', 'room:2', 'room:3', 'room:4'];

/** Where there is more talk than anybody can follow. */
export const NOISY_ROOM = 'room:noisy';
