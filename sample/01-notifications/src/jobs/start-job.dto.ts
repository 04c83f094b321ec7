import { Length } from 'class-validator';

/** Body of `POST /jobs`. */
export class StartJobDto {
  /** The connection that wants to see the progress: `realtime:welcome` told it to the page. */
  @Length(1, 100)
  connectionId!: string;
}
