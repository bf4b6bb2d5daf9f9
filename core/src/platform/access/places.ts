import { type AnyKind, isTapError, platformEngine, tenantLabel } from '@tappaas/sdk';
import { Tenant, type TenantObject } from '@tappaas/sdk/kinds';
import type { Place, Places } from '../../access/access.js';
import type { Owner, OwnerFields, Owners } from '../../access/owned-objects.js';
import type { ResourceEngine } from '../../resources/engine.js';
import { valueAt } from '../../resources/schema/json-value.js';
import { namespaceLabel } from '../clusters/cluster-namespaces.js';

const Namespace: AnyKind = { group: '', kind: 'Namespace', version: 'v1' };
const nowhere: Place = Object.freeze({});

type Labelled = { readonly metadata?: { readonly labels?: Readonly<Record<string, string>> } };

/**
 * Looks up the owners of namespaces by labels in the engines' caches: the tenant on the platform, the platform's namespace on other
 * engines.
 */
export function enginePlaces(engine: (name: string) => ResourceEngine | undefined): Places {
  const cached = (name: string, namespace: string): Labelled | undefined => engine(name)?.cached(Namespace, { name: namespace });
  const placeOf = (name: string, namespace: string): Place => {
    const isPlatform = name === platformEngine;
    const found = cached(name, namespace);
    const project = isPlatform ? namespace : found?.metadata?.labels?.[namespaceLabel];
    if (project === undefined) return nowhere;
    const tenant = (isPlatform ? found : cached(platformEngine, project))?.metadata?.labels?.[tenantLabel];
    return { project, ...(tenant !== undefined && { tenant }) };
  };
  return {
    now: placeOf,
    settled(name, namespace) {
      const here = engine(name)?.catchUp(namespaces, patience);
      const there = name === platformEngine ? undefined : engine(platformEngine)?.catchUp(namespaces, patience);
      if (!(here instanceof Promise) && !(there instanceof Promise)) return placeOf(name, namespace);
      return Promise.all([here, there]).then(() => placeOf(name, namespace));
    },
    labels(name, { group, version, plural, namespace, name: object = '' }) {
      const kind = engine(name)?.find({ group, version, plural });
      if (kind === undefined) return undefined;
      const key = { name: object, ...(namespace !== undefined && { namespace }) };
      const found: Labelled | undefined = engine(name)?.cached(kind, key);
      return found && (found.metadata?.labels ?? {});
    },
    spansNamespaces: (name, { group, version, plural }) => engine(name)?.find({ group, version, plural })?.scope !== 'Cluster',
    isShared: (name, { group, version, plural }) => engine(name)?.find({ group, version, plural })?.isShared === true,
    owners: owners(engine),
    isSuspended: (tenant) =>
      (engine(platformEngine)?.cached(Tenant, { name: tenant }) as TenantObject | undefined)?.spec.suspended === true,
  };
}

type Engine = (name: string) => ResourceEngine | undefined;

/** Looks up the owners of objects in the fields that their kind declares. */
function owners(engine: Engine): Owners {
  const fields: Owners['fields'] = (name, { group, version, plural }) => engine(name)?.find({ group, version, plural })?.owner;
  return {
    fields,
    now(name, resource) {
      const { group, version, plural, name: object = '' } = resource;
      const kind = engine(name)?.find({ group, version, plural });
      return ownerOf(kind && engine(name)?.cached(kind, { name: object }), kind?.owner);
    },
    async settled(name, resource) {
      const { group, version, plural, name: object = '' } = resource;
      const found = await read(engine(name), { kind: { group, version, plural }, name: object });
      return ownerOf(found?.object, fields(name, resource));
    },
  };
}

function ownerOf(object: object | undefined, fields: OwnerFields | undefined): Owner | undefined {
  if (object === undefined || fields === undefined) return undefined;
  const [user, tenant] = [fields.user, fields.tenant].map((field) => field && valueAt(object, field.split('.')));
  return { user: typeof user === 'string' ? user : '', ...(typeof tenant === 'string' && { tenant }) };
}

const namespaces = { group: '', version: 'v1', plural: 'namespaces' };
const catchUpMsMax = 5_000;
/** The signal is created on access: usually the cache is up to date, and no timer is needed. */
const patience = {
  get signal() {
    return AbortSignal.timeout(catchUpMsMax);
  },
};

async function read(
  engine: ResourceEngine | undefined,
  target: Parameters<ResourceEngine['get']>[0],
): Promise<{ readonly object: object } | undefined> {
  try {
    return await engine?.get(target, patience);
  } catch (error) {
    if (!isTapError(error, 'TAP_OBJECT_NOT_FOUND')) throw error;
    return undefined;
  }
}
