import { IsUUID, Length } from 'class-validator';

/** Payload of the topic message `say`. */
export class SayDto {
  /** Chosen by the page, which may send the message again under it when it has heard nothing of the first one. */
  @IsUUID()
  id!: string;

  @Length(1, 280)
  text!: string;
}
