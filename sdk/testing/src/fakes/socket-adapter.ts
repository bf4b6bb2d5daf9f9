import { definePlugin, families, type OpenSocketAdapter } from '@tappaas/sdk';

/** Joins the sockets of several kernels in one test: those whose plugin was created by the same call. */
export function fakeSocketAdapter() {
  const joined: Joined[] = [];
  return definePlugin({
    id: 'fake-socket-adapter',
    setup: (host) => host.provide(families.socketAdapter, () => ({ description: 'The memory of this process.', open: () => open(joined) })),
  });
}

/** One process, as the others see it. */
interface Joined {
  readonly id: string;
  receive(message: object): void;
  answer(response: object): void;
}

/** Loads the library on first use, so that other tests do not wait for it. */
async function open(joined: Joined[]): Promise<OpenSocketAdapter> {
  const { ClusterAdapter } = await import('socket.io-adapter');

  class MemoryAdapter extends ClusterAdapter {
    readonly #self: Joined;

    constructor(namespace: object) {
      super(namespace);
      this.#self = {
        id: this.uid,
        receive: (message) => this.onMessage(message as Parameters<typeof this.onMessage>[0]),
        answer: (response) => this.onResponse(response as Parameters<typeof this.onResponse>[0]),
      };
    }

    override init(): void {
      joined.push(this.#self);
    }

    override close(): void {
      joined.splice(joined.indexOf(this.#self), 1);
    }

    override serverCount(): Promise<number> {
      return Promise.resolve(joined.length);
    }

    protected override async doPublish(message: object): Promise<string> {
      for (const other of joined) if (other !== this.#self) other.receive(structuredClone(message));
      return '';
    }

    protected override async doPublishResponse(requester: string, response: object): Promise<void> {
      joined.find(({ id }) => id === requester)?.answer(structuredClone(response));
    }
  }

  return { make: (namespace) => new MemoryAdapter(namespace) };
}
