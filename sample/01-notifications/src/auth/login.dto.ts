import { IsString } from 'class-validator';

/** Body of `POST /login`. */
export class LoginDto {
  @IsString()
  name!: string;
}
