/** What OpenAPI says of the subresources of pods. */
import { type ConversationSubresource, type SubresourceOpenApi, Type } from '@tappaas/sdk';

const flag = (description: string) => Type.Optional(Type.Boolean({ description }));
const container = Type.Optional(Type.String({ description: 'Which container; needed where there are several.' }));
const kubernetes = (name: string) => Type.Unsafe({ $ref: `#/components/schemas/io.k8s.${name}` });
const done = { status: 201, mediaType: 'application/json', schema: kubernetes('apimachinery.pkg.apis.meta.v1.Status') };

export const bindingOpenApi: SubresourceOpenApi = {
  description: 'Gives a pod its node, once.',
  body: kubernetes('api.core.v1.Binding'),
  response: done,
};

export const evictionOpenApi: SubresourceOpenApi = {
  description: 'Deletes a pod, unless a disruption budget would be broken.',
  body: kubernetes('api.policy.v1.Eviction'),
  response: done,
};

export const portForwardOpenApi: SubresourceOpenApi = {
  description: 'Is always refused; the error names the addresses at which the ports of the pod are open on this machine.',
};

export const logOpenApi: SubresourceOpenApi = {
  description: 'Reads what a container has written.',
  query: Type.Object({
    container,
    follow: flag('Goes on with what is written from now on.'),
    previous: flag('Of the container before its last restart.'),
    timestamps: flag('Each line begins with when it was written.'),
    tailLines: Type.Optional(Type.Integer({ minimum: 0, description: 'So many lines from the end.' })),
    limitBytes: Type.Optional(Type.Integer({ minimum: 0, description: 'So many bytes at most.' })),
    sinceSeconds: Type.Optional(Type.Integer({ minimum: 0, description: 'What was written in the last seconds.' })),
    sinceTime: Type.Optional(Type.String({ format: 'date-time', description: 'What was written since then.' })),
    stream: Type.Optional(
      Type.Union([Type.Literal('All'), Type.Literal('Stdout'), Type.Literal('Stderr')], { description: 'Which output. Default: All.' }),
    ),
  }),
  response: { status: 200, mediaType: 'text/plain', schema: Type.String() },
};

const outputs = {
  stdout: flag('Sends what is written to the standard output.'),
  stderr: flag('Sends what is written to the standard error.'),
};

export const execOpenApi: NonNullable<ConversationSubresource['openApi']> = {
  description: 'Runs a command beside a container.',
  query: Type.Object({
    command: Type.Array(Type.String(), { minItems: 1, description: 'The command and its arguments, one parameter each.' }),
    container,
    stdin: flag('Takes a standard input.'),
    ...outputs,
  }),
};

export const attachOpenApi: NonNullable<ConversationSubresource['openApi']> = {
  description: 'Sends what a container writes from now on.',
  query: Type.Object({ container, ...outputs }),
};

/** How clients begin that speak SPDY alone. */
export const spdyOpenApi: SubresourceOpenApi = {
  description: 'Is always refused: it is spoken over WebSocket, which begins with GET.',
};
