import { memberOf, valueAt } from '../schema/json-value.js';
import {
  ageColumn,
  column,
  fieldColumn,
  firstOf,
  joined,
  labelsText,
  listAt,
  nameColumn,
  selectorText,
  textAt,
  textOf,
  type TableColumn,
} from './table-column.js';

const shownMax = 3;

export const serviceColumns: readonly TableColumn[] = [
  nameColumn,
  fieldColumn('Type', 'How the service is reached.', 'spec.type'),
  fieldColumn('Cluster-IP', 'Address inside of the cluster.', 'spec.clusterIP'),
  column('External-IP', 'Addresses from outside.', externalAddresses),
  column('Port(s)', 'Ports, with the node port where there is one.', (object) => joined(listAt(object, ['spec', 'ports']).map(portText))),
  ageColumn,
  column('Selector', 'Labels of the pods behind it.', (object) => labelsText(valueAt(object, ['spec', 'selector'])), { priority: 1 }),
];

function externalAddresses(service: unknown): string {
  const given = listAt(service, ['spec', 'externalIPs']).map(textOf);
  const type = textAt(service, 'spec', 'type');
  if (type === 'ExternalName') return textAt(service, 'spec', 'externalName') || '<none>';
  if (type !== 'LoadBalancer') return joined(given);
  const balanced = listAt(service, ['status', 'loadBalancer', 'ingress']).map((item) => textAt(item, 'ip') || textAt(item, 'hostname'));
  return [...balanced, ...given].join(',') || '<pending>';
}

function portText(port: unknown): string {
  const node = textAt(port, 'nodePort');
  return `${textAt(port, 'port')}${node === '' || node === '0' ? '' : `:${node}`}/${textAt(port, 'protocol')}`;
}

export const endpointSliceColumns: readonly TableColumn[] = [
  nameColumn,
  fieldColumn('AddressType', 'What sort of addresses it holds.', 'addressType'),
  column('Ports', 'Ports of the endpoints.', (object) => {
    const ports = listAt(object, ['ports']).map((port) => textAt(port, 'port') || '*');
    return ports.length === 0 ? '<unset>' : firstOf(ports, shownMax);
  }),
  column('Endpoints', 'Addresses of the endpoints.', (object) => {
    const addresses = listAt(object, ['endpoints']).flatMap((endpoint) => listAt(endpoint, ['addresses']).slice(0, 1).map(textOf));
    return addresses.length === 0 ? '<unset>' : firstOf(addresses, shownMax);
  }),
  ageColumn,
];

export const ingressColumns: readonly TableColumn[] = [
  nameColumn,
  fieldColumn('Class', 'Class whose controller serves it.', 'spec.ingressClassName'),
  column('Hosts', 'Hosts that it routes.', (object) => {
    const hosts = listAt(object, ['spec', 'rules']).map((rule) => textAt(rule, 'host') || '*');
    return hosts.length === 0 ? '*' : firstOf(hosts, shownMax);
  }),
  column('Address', 'Where it is reached.', (object) =>
    listAt(object, ['status', 'loadBalancer', 'ingress'])
      .map((item) => textAt(item, 'ip') || textAt(item, 'hostname'))
      .join(','),
  ),
  column('Ports', 'Ports that it is served on.', (object) => (listAt(object, ['spec', 'tls']).length > 0 ? '80, 443' : '80')),
  ageColumn,
];

export const ingressClassColumns: readonly TableColumn[] = [
  nameColumn,
  fieldColumn('Controller', 'Controller that serves the class.', 'spec.controller'),
  column('Parameters', 'Object with further settings.', (object) => {
    const parameters = valueAt(object, ['spec', 'parameters']);
    if (parameters === undefined) return '<none>';
    const group = textAt(parameters, 'apiGroup');
    return `${textAt(parameters, 'kind')}${group === '' ? '' : `.${group}`}/${textAt(parameters, 'name')}`;
  }),
  ageColumn,
];

export const networkPolicyColumns: readonly TableColumn[] = [
  nameColumn,
  column('Pod-Selector', 'Labels of the pods it applies to.', (object) => selectorText(memberOf(memberOf(object, 'spec'), 'podSelector'))),
  ageColumn,
];
