import { Length } from 'class-validator';

/** Payload of the topic message `say`. */
export class SayDto {
  @Length(1, 280)
  text!: string;
}
