import { type Caller, type Denial, tenantLabel } from '@tappaas/sdk';

/** Annotation with the creator of a namespace, for whom its first role binding is made. */
const requesterAnnotation = 'tappaas.dev/requester';
/** Annotation that this binding was made; without it, a creator that lost the role would get it again. */
const boundAnnotation = 'tappaas.dev/requester-bound';

type Labels = Readonly<Record<string, string>>;

/** The part of a namespace that tenancy uses; a type rather than an interface, so that it is assignable to JsonObject. */
export type TenantNamespace = {
  readonly metadata: { readonly name: string; readonly labels?: Labels; readonly annotations?: Labels };
};

/** Prepares a namespace created by a non-administrator: it belongs to the caller's tenant and records the caller. */
export function requested<N extends TenantNamespace>(namespace: N, { name, tenant }: Caller): N {
  const { metadata } = namespace;
  const labels =
    tenant === undefined || metadata.labels?.[tenantLabel] !== undefined ? metadata.labels : { ...metadata.labels, [tenantLabel]: tenant };
  const { [boundAnnotation]: _, ...given } = metadata.annotations ?? {};
  const annotations = { ...given, [requesterAnnotation]: name };
  return { ...namespace, metadata: { ...metadata, ...(labels && { labels }), annotations } };
}

/** Denies changes that only administrators may make: of the owner of a namespace, its requester, and whether the requester got a role. */
export function tenancyDenials(namespace: TenantNamespace, previous: TenantNamespace | undefined, caller: Caller): readonly Denial[] {
  const { labels, annotations } = namespace.metadata;
  const owner = labels?.[tenantLabel];
  const ownerBefore = previous === undefined ? caller.tenant : previous.metadata.labels?.[tenantLabel];
  const annotationsBefore = previous === undefined ? { [requesterAnnotation]: caller.name } : previous.metadata.annotations;
  return [
    ...(owner === ownerBefore ? [] : [forbidden(`metadata.labels[${tenantLabel}]`, ownerBefore, owner)]),
    ...[requesterAnnotation, boundAnnotation].flatMap((name) => {
      const [found, before] = [annotations?.[name], annotationsBefore?.[name]];
      return found === before ? [] : [forbidden(`metadata.annotations[${name}]`, before, found)];
    }),
  ];
}

function forbidden(field: string, expected: string | undefined, found: string | undefined): Denial {
  const quoted = (value: string | undefined): string => (value === undefined ? 'nothing' : `"${value}"`);
  return {
    field,
    reason: 'Forbidden',
    message: `expected ${quoted(expected)}, found ${quoted(found)}: only an administrator of the platform may set it`,
  };
}
