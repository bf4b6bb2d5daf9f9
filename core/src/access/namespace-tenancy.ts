import { type Caller, type Denial, tenantLabel } from '@tappaas/sdk';

/** Who made a namespace, so that its first role binding can be made for them. */
const requesterAnnotation = 'tappaas.dev/requester';
/** That this binding was made: without it, whoever lost the role would get it once more. */
const boundAnnotation = 'tappaas.dev/requester-bound';

type Labels = Readonly<Record<string, string>>;

/** A namespace as far as tenancy looks at it; a type, and no interface, so that it is an object of JSON too. */
export type TenantNamespace = {
  readonly metadata: { readonly name: string; readonly labels?: Labels; readonly annotations?: Labels };
};

/** A namespace that somebody below the administrators makes: their tenant's, and it remembers them. */
export function requested<N extends TenantNamespace>(namespace: N, { name, tenant }: Caller): N {
  const { metadata } = namespace;
  const labels =
    tenant === undefined || metadata.labels?.[tenantLabel] !== undefined ? metadata.labels : { ...metadata.labels, [tenantLabel]: tenant };
  const { [boundAnnotation]: _, ...given } = metadata.annotations ?? {};
  const annotations = { ...given, [requesterAnnotation]: name };
  return { ...namespace, metadata: { ...metadata, ...(labels && { labels }), annotations } };
}

/** Only administrators say to whom a namespace belongs, for whom it was made, and whether they have had their role. */
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
  const said = (value: string | undefined): string => (value === undefined ? 'nothing' : `"${value}"`);
  return {
    field,
    reason: 'Forbidden',
    message: `expected ${said(expected)}, found ${said(found)}: only an administrator of the platform may set it`,
  };
}
