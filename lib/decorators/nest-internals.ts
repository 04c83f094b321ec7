/*
 * The internals of Nest that the decorators need: the metadata keys that Nest sets on classes. The spec beside this file
 * fails if they change.
 */
export { ENTRY_PROVIDER_WATERMARK, INJECTABLE_WATERMARK } from '@nestjs/common/internal';
