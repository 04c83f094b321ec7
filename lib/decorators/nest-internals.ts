/*
 * What the decorators need of Nest beyond its public API: the marks that Nest itself leaves on classes. The spec beside
 * this file fails when they change.
 */
export { ENTRY_PROVIDER_WATERMARK, INJECTABLE_WATERMARK } from '@nestjs/common/internal';
