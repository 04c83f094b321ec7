import { Length } from 'class-validator';

/** Payload of the topic message `ask`. */
export class AskDto {
  @Length(1, 2_000)
  text!: string;
}
