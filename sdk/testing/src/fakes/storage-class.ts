import { definePlugin, families } from '@tappaas/sdk';

/** A storage class that claims the requested size, without further abilities. */
export const fakeStorageClass = definePlugin({
  id: 'fake-storage-class',
  setup(host) {
    host.provide(families.storageClass, () => ({
      description: 'Claims what is asked for.',
      can: { expand: false, snapshot: false, shared: false },
      requires: [],
      claim: ({ name, namespace, sizeBytes }) => [
        {
          apiVersion: 'v1',
          kind: 'PersistentVolumeClaim',
          metadata: { name, namespace },
          spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: String(sizeBytes) } } },
        },
      ],
    }));
  },
});
