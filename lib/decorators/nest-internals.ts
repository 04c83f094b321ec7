/*
 * The internals of Nest that the decorators need: the metadata keys that Nest sets on classes, the same in Nest 11 and 12.
 * The spec beside this file fails if they change.
 */
export const ENTRY_PROVIDER_WATERMARK = '__entryProvider__';
export const INJECTABLE_WATERMARK = '__injectable__';
