import { randomUUID } from 'node:crypto';
import { Body, Controller, Post, UseGuards } from '@nestjs/common';
import {
  CurrentUser,
  type DeliveryReport,
  RealtimeAuthGuard,
  RealtimeService,
  type RealtimeUser,
} from 'nestjs-realtime';
import { CreateOrderDto } from './create-order.dto.js';

/** To a user: the customer is notified on all devices. */
@Controller('orders')
@UseGuards(RealtimeAuthGuard)
export class OrdersController {
  constructor(private readonly realtime: RealtimeService) {}

  @Post()
  async create(
    @Body() { item, quantity }: CreateOrderDto,
    @CurrentUser() user: RealtimeUser,
  ): Promise<{ id: string; delivery: DeliveryReport }> {
    const id = randomUUID();
    const delivery = await this.realtime.sendToUser(user.userId, {
      type: 'order.created',
      payload: { id, item, quantity },
    });
    return { id, delivery };
  }
}
