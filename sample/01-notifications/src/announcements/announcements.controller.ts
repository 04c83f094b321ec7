import { Body, Controller, Post, UseGuards } from '@nestjs/common';
import {
  CurrentUser,
  type DeliveryReport,
  RealtimeAuthGuard,
  RealtimeService,
  type RealtimeUser,
  RequireRoles,
} from 'nestjs-realtime';
import { CreateAnnouncementDto } from './create-announcement.dto.js';

/** To all: an announcement of an admin reaches every connection. */
@Controller('announcements')
@UseGuards(RealtimeAuthGuard)
export class AnnouncementsController {
  constructor(private readonly realtime: RealtimeService) {}

  @Post()
  @RequireRoles('admin')
  async create(
    @Body() { text }: CreateAnnouncementDto,
    @CurrentUser() user: RealtimeUser,
  ): Promise<{ delivery: DeliveryReport }> {
    const delivery = await this.realtime.broadcast({ type: 'announcement', payload: { from: user.userId, text } });
    return { delivery };
  }
}
