import { isTapError, type AnyKind, type Context, type Immutable, type KubernetesObject } from '@tappaas/sdk';
import { canonicalJson } from '../canonical-json.js';

/** Writes the fields of a status that differ from the stored ones; a field with the value undefined is removed. Ignores deleted objects. */
export async function writeStatus(
  context: Context,
  kind: AnyKind,
  object: Immutable<KubernetesObject & { status?: unknown }>,
  status: object,
): Promise<void> {
  const present = (object.status ?? {}) as Readonly<Record<string, unknown>>;
  const changed = Object.entries(status).filter(([key, value]) => canonicalJson(value ?? null) !== canonicalJson(present[key] ?? null));
  if (changed.length === 0) return;
  const patch = { metadata: { uid: object.metadata.uid }, status: Object.fromEntries(changed.map(([key, value]) => [key, value ?? null])) };
  const { namespace, name = '' } = object.metadata;
  const key = namespace === undefined ? { name } : { namespace, name };
  try {
    await context.asPlugin.patch(kind, key, patch, { subresource: 'status' });
  } catch (error) {
    if (!isTapError(error, 'TAP_OBJECT_NOT_FOUND')) throw error;
  }
}
