import { Injectable, type OnModuleInit } from '@nestjs/common';
import { ApplicationConfig, HttpAdapterHost, ModuleRef } from '@nestjs/core';
import { RealtimeConfigurationError } from '../../errors/realtime-configuration.error.js';
import { RealtimeWsAdapter } from '../realtime-ws.adapter.js';

/** Installs the WebSocket adapter when the application has set none, and finds out at boot when it has set another. */
@Injectable()
export class AdapterInstallation implements OnModuleInit {
  constructor(
    private readonly config: ApplicationConfig,
    private readonly httpAdapterHost: HttpAdapterHost,
    moduleRef: ModuleRef,
  ) {
    if (!config.getIoAdapter()) config.setIoAdapter(new RealtimeWsAdapter(moduleRef));
  }

  /** Only now is the answer final: `useWebSocketAdapter()` comes after the providers were made. */
  onModuleInit(): void {
    const adapter = this.config.getIoAdapter();
    if (!this.httpAdapterHost.httpAdapter || adapter instanceof RealtimeWsAdapter) return;
    const name = adapter.constructor.name;
    throw new RealtimeConfigurationError(
      `The application uses ${name}, which cannot serve the gateway of RealtimeModule. Keep it for your own gateways and ` +
        `write in main.ts: app.useWebSocketAdapter(new RealtimeWsAdapter(app, { fallback: new ${name}(app) }));`,
    );
  }
}
