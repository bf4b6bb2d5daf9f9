import type { Clock, EngineOptions } from '@tappaas/sdk';
import { Pods } from '../kinds/handles.js';
import type { AgentControl } from '../supervision/agent-control.js';
import { attachToPod, checkAttach } from './attach.js';
import { bindPod } from './binding.js';
import { channelProtocols, refuseSpdy } from './channels.js';
import { evictPod } from './eviction.js';
import { checkExec, execInPod } from './exec.js';
import { readPodLog } from './log.js';
import { attachOpenApi, bindingOpenApi, evictionOpenApi, execOpenApi, logOpenApi, portForwardOpenApi, spdyOpenApi } from './open-api.js';
import { portForward } from './port-forward.js';

/** Subresources of pods. `control` gives access to the node agent. */
export function ofPods(control: (clock: Clock) => AgentControl): Pick<EngineOptions, 'subresources' | 'conversations'> {
  return {
    subresources: [
      { kind: Pods, name: 'binding', method: 'POST', openApi: bindingOpenApi, handle: bindPod },
      { kind: Pods, name: 'eviction', method: 'POST', openApi: evictionOpenApi, handle: evictPod },
      { kind: Pods, name: 'attach', method: 'POST', openApi: spdyOpenApi, handle: refuseSpdy('attach', checkAttach) },
      { kind: Pods, name: 'exec', method: 'POST', openApi: spdyOpenApi, handle: refuseSpdy('exec', checkExec) },
      { kind: Pods, name: 'portforward', method: 'POST', openApi: portForwardOpenApi, handle: portForward },
      {
        kind: Pods,
        name: 'log',
        method: 'GET',
        openApi: logOpenApi,
        handle: (request, context) => readPodLog(request, context, control(context.clock)),
      },
    ],
    conversations: [
      {
        kind: Pods,
        name: 'exec',
        verb: 'create',
        protocols: channelProtocols,
        openApi: execOpenApi,
        handle: (request, context) => execInPod(request, context, control(context.clock)),
      },
      {
        kind: Pods,
        name: 'attach',
        verb: 'create',
        protocols: channelProtocols,
        openApi: attachOpenApi,
        handle: (request, context) => attachToPod(request, context, control(context.clock)),
      },
    ],
  };
}
