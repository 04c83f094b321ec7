/** Maximum number of commands in one frame. SDKs send at most one per subscription and channel operation of one tick. */
export const MAX_COMMANDS = 4_096;
