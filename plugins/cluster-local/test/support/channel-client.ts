import { Readable } from 'node:stream';
import type { Conversation } from '@tappaas/sdk';

export const [stdin, stdout, stderr, error, close] = [0, 1, 2, 3, 255];

/** The client's side of a conversation. */
export class ChannelClient implements Conversation {
  readonly protocol = 'v5.channel.k8s.io';
  readonly messages = new Readable({ objectMode: true, read: () => {} });
  readonly received: Buffer[] = [];

  write(channel: number, bytes: string | Uint8Array = ''): void {
    this.messages.push(Buffer.concat([Buffer.from([channel]), Buffer.from(bytes)]));
  }

  closeInput(): void {
    this.messages.push(Buffer.from([close, stdin]));
  }

  go(): void {
    this.messages.push(null);
  }

  async send(message: Uint8Array): Promise<void> {
    this.received.push(Buffer.from(message));
  }

  on(channel: number): Buffer {
    return Buffer.concat(this.received.filter(([first]) => first === channel).map((each) => each.subarray(1)));
  }

  get status(): { status: string; reason?: string; message?: string; details?: { causes: readonly { message: string }[] } } {
    return JSON.parse(this.on(error).toString());
  }
}
