/** As much of the provider as the tests use; it comes without types. */
declare module 'oidc-provider' {
  import type { EventEmitter } from 'node:events';
  import type { RequestListener } from 'node:http';

  export interface Configuration {
    findAccount(context: unknown, id: string): object | undefined;
    readonly [setting: string]: unknown;
  }

  export class Provider extends EventEmitter<{ 'grant.success': [context: { readonly body: unknown }] }> {
    constructor(issuer: string, configuration: Configuration);
    callback(): RequestListener;
  }
}
