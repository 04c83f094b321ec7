import { Length } from 'class-validator';

/** Body of `POST /announcements`. */
export class CreateAnnouncementDto {
  @Length(1, 280)
  text!: string;
}
