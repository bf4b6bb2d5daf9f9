import type { Immutable } from '@tappaas/sdk';
import type { ApplicationObject } from '@tappaas/sdk/kinds';

type Application = Immutable<ApplicationObject>;
type Variable = NonNullable<Application['spec']['env']>[number];

/** A reference to a port of another application, by which a variable gets its address. */
export type AddressReference = NonNullable<NonNullable<Variable['from']>['application']>;

/** Name of the input with an address, the value of a variable. */
export const addressInput = ({ name, process = '', port }: AddressReference) => `address/${name}/${process}/${port}`;

/** All references to addresses in an application's environment, without duplicates. */
export function addressesOf({ spec }: Application): readonly AddressReference[] {
  const variables = [...(spec.env ?? []), ...spec.processes.flatMap(({ env }) => env ?? [])];
  const references = variables.flatMap(({ from }) => from?.application ?? []);
  return [...new Map(references.map((reference) => [addressInput(reference), reference])).values()];
}

/** The value, which the cluster expands to the address, or the reason why there is none, with the next step. */
export function addressIn(
  application: Application,
  { process, port }: AddressReference,
): { readonly value: string } | { readonly problem: string } {
  const { name } = application.metadata;
  const offers = application.spec.processes.flatMap((each) => (each.ports ?? []).map((offered) => ({ process: each.name, ...offered })));
  const fitting = offers.filter((offer) => offer.name === port && (process === undefined || offer.process === process));
  const found = fitting.length > 1 ? fitting.find((offer) => offer.process === 'web') : fitting[0];
  if (found) {
    const service = variablePart(`${name}-${found.process}`);
    const address = `$(${service}_SERVICE_HOST):$(${service}_SERVICE_PORT_${variablePart(port)})`;
    return { value: found.protocol === 'HTTP' ? `http://${address}` : address };
  }
  const list = offers.map((offer) => `${offer.name} of ${offer.process}`).join(', ') || 'none';
  const problem =
    fitting.length > 1
      ? `several processes of application ${name} have a port ${port}; say which with from.application.process: ${list}`
      : `application ${name} has no port ${port}${process === undefined ? '' : ` of process ${process}`}; its ports: ${list}`;
  return { problem };
}

const variablePart = (name: string): string => name.toUpperCase().replaceAll('-', '_');
