import { valueAt } from '../schema/json-value.js';
import { ageColumn, column, fieldColumn, listAt, nameColumn, textAt, textOf, type TableColumn } from './table-column.js';

const shortModes: ReadonlyMap<string, string> = new Map([
  ['ReadWriteOnce', 'RWO'],
  ['ReadOnlyMany', 'ROX'],
  ['ReadWriteMany', 'RWX'],
  ['ReadWriteOncePod', 'RWOP'],
]);
const modes = (list: readonly unknown[]): string =>
  [...new Set(list.map((mode) => shortModes.get(textOf(mode)) ?? textOf(mode)))].join(',');
const phase = (object: unknown): string =>
  textAt(object, 'metadata', 'deletionTimestamp') === '' ? textAt(object, 'status', 'phase') : 'Terminating';

const volumeModeColumn = fieldColumn('VolumeMode', 'Whether it is a file system or a block device.', 'spec.volumeMode', {
  wide: true,
  without: '<unset>',
});

export const volumeColumns: readonly TableColumn[] = [
  nameColumn,
  column('Capacity', 'Size of the volume.', (object) => textAt(object, 'spec', 'capacity', 'storage')),
  column('Access Modes', 'How it can be mounted.', (object) => modes(listAt(object, ['spec', 'accessModes']))),
  column('Reclaim Policy', 'What happens to it when its claim goes.', (object) => textAt(object, 'spec', 'persistentVolumeReclaimPolicy')),
  column('Status', 'How the volume is.', phase),
  column('Claim', 'Claim that it is bound to.', (object) => {
    const [namespace, name] = [textAt(object, 'spec', 'claimRef', 'namespace'), textAt(object, 'spec', 'claimRef', 'name')];
    return name === '' ? '' : `${namespace}/${name}`;
  }),
  column('StorageClass', 'Class that it was made by.', (object) => textAt(object, 'spec', 'storageClassName')),
  fieldColumn('VolumeAttributesClass', 'Class of its changeable attributes.', 'spec.volumeAttributesClassName', { without: '<unset>' }),
  column('Reason', 'Why it is so.', (object) => textAt(object, 'status', 'reason')),
  ageColumn,
  volumeModeColumn,
];

const isBound = (object: unknown): boolean => textAt(object, 'spec', 'volumeName') !== '';

export const volumeClaimColumns: readonly TableColumn[] = [
  nameColumn,
  column('Status', 'How the claim is.', phase),
  column('Volume', 'Volume that it is bound to.', (object) => textAt(object, 'spec', 'volumeName')),
  column('Capacity', 'Size of that volume.', (object) => (isBound(object) ? textAt(object, 'status', 'capacity', 'storage') : '')),
  column('Access Modes', 'How that volume can be mounted.', (object) =>
    isBound(object) ? modes(listAt(object, ['status', 'accessModes'])) : '',
  ),
  column('StorageClass', 'Class that it asks for.', (object) => textAt(object, 'spec', 'storageClassName')),
  fieldColumn('VolumeAttributesClass', 'Class of changeable attributes that it asks for.', 'spec.volumeAttributesClassName', {
    without: '<unset>',
  }),
  ageColumn,
  volumeModeColumn,
];

const defaultClass = 'storageclass.kubernetes.io/is-default-class';

export const storageClassColumns: readonly TableColumn[] = [
  {
    ...nameColumn,
    cell: (object) =>
      `${textAt(object, 'metadata', 'name')}${textAt(object, 'metadata', 'annotations', defaultClass) === 'true' ? ' (default)' : ''}`,
  },
  fieldColumn('Provisioner', 'Who makes the volumes.', 'provisioner'),
  fieldColumn('ReclaimPolicy', 'What happens to a volume when its claim goes.', 'reclaimPolicy', { without: 'Delete' }),
  fieldColumn('VolumeBindingMode', 'When a volume is made and bound.', 'volumeBindingMode', { without: 'Immediate' }),
  column('AllowVolumeExpansion', 'Whether volumes can grow.', (object) => valueAt(object, ['allowVolumeExpansion']) === true, {
    type: 'boolean',
  }),
  ageColumn,
];
