import { IsUUID } from 'class-validator';

/** Payload of the topic message `stop`. */
export class StopDto {
  /** The id of the question whose answer is no longer wanted. */
  @IsUUID()
  id!: string;
}
