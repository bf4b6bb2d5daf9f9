import type { AnyKind, EngineKind, KindBehaviour } from '@tappaas/sdk';
import type { ServedSubresource } from '../ports/engine.js';
import type { PluginGuard, Registrations } from '../kernel/kernel.js';
import type { KindRegistration } from '../resources/kind-entry.js';
import { describedAction, describedSubresources } from './served/described-parts.js';

/** Returns the kinds that plugins contribute to the platform's own engine, with their actions as subresources. */
export function platformKinds({ kinds, actions, controllers }: Registrations): readonly KindRegistration[] {
  return kinds.map(({ plugin, guard, value }) => {
    const owner = controllers.find((each) => isOf(each.value.kind, value.kind) && each.value.operation !== undefined);
    const operation = owner?.value.operation;
    return { ...registration(plugin, guard, value, actionsOn(value.kind, actions)), ...(operation ? { operation } : {}) };
  });
}

/** Adds the actions of plugins to the kernel's kinds. */
export function withActions(kinds: readonly KindRegistration[], { actions }: Registrations): readonly KindRegistration[] {
  return kinds.map((each) => {
    const added = actionsOn(each.kind, actions);
    return added.length === 0 ? each : { ...each, subresources: [...(each.subresources ?? []), ...added] };
  });
}

function actionsOn(kind: AnyKind, actions: Registrations['actions']): readonly ServedSubresource[] {
  return actions.filter(({ value }) => isOf(value.on, kind)).map(({ value }) => describedAction(value));
}

const isOf = (one: AnyKind, other: AnyKind) => one.group === other.group && one.kind === other.kind;

/** Returns the kinds of a plugin's engine, with the subresources that the plugin handles. */
export function engineKinds({ plugin, guard, value }: Registrations['engines'][number]): readonly KindRegistration[] {
  return value.kinds.map((entry) => {
    const answered = (value.subresources ?? []).filter(({ kind }) => isOf(kind, entry.kind));
    const talked = (value.conversations ?? []).filter(({ kind }) => isOf(kind, entry.kind));
    return registration(plugin, guard, entry, describedSubresources(answered, talked));
  });
}

function registration(
  plugin: string,
  guard: PluginGuard,
  { kind, behaviour }: EngineKind,
  subresources: readonly ServedSubresource[],
): KindRegistration {
  return {
    kind,
    plugin,
    ...(behaviour ? { behaviour: guarded(behaviour, kind, guard) } : {}),
    ...(subresources.length > 0 ? { subresources } : {}),
    ...(isSecret(kind) ? { isConfidential: true } : {}),
  };
}

const isSecret = ({ group, kind }: AnyKind) => group === '' && kind === 'Secret';

/** Runs the code of a kind within its plugin's guard. */
function guarded(behaviour: KindBehaviour<AnyKind>, { kind }: AnyKind, guard: PluginGuard): KindBehaviour<AnyKind> {
  const point = (name: string) => ({ name: `kind.${kind}.${name}`, limitMs: 1 });
  const calls = {
    ...(behaviour.default
      ? {
          default: (draft: object, previous: object | undefined) =>
            guard.callSync(point('default'), () => behaviour.default?.(draft, previous)),
        }
      : {}),
    ...(behaviour.check
      ? { check: (object: object, previous?: object) => guard.callSync(point('check'), () => behaviour.check?.(object, previous) ?? []) }
      : {}),
    ...(behaviour.versions ? { versions: behaviour.versions } : {}),
  };
  return calls;
}
