/** The group whose members may do everything, whatever roles and policies say. The name is Kubernetes' own. */
export const administratorsGroup = 'system:masters';

/** The group of every caller whose credential was accepted. */
export const authenticatedGroup = 'system:authenticated';

/** The group of every service account of every namespace. */
export const serviceAccountsGroup = 'system:serviceaccounts';

/** The label that assigns a namespace to a tenant; in reviews and impersonation, the key of the `extra` that names a caller's tenant. */
export const tenantLabel = 'tappaas.dev/tenant';

/**
 * The name of the engine behind `/api` and `/apis`, which holds the platform's own objects. A plugin's engine is named after its instance
 * id.
 */
export const platformEngine = 'platform';

/** The user name of a service account. */
export const serviceAccountUser = (namespace: string, name: string): string => `system:serviceaccount:${namespace}:${name}`;

/** The groups of a service account in a namespace, besides {@link authenticatedGroup}. */
export const serviceAccountGroups = (namespace: string): readonly string[] => [
  serviceAccountsGroup,
  `${serviceAccountsGroup}:${namespace}`,
];

/** In reviews, the keys of the `extra` entries that contain the scope of a credential. */
export const scopeExtras = Object.freeze({ namespaces: 'tappaas.dev/scope-namespaces', verbs: 'tappaas.dev/scope-verbs' });

/** The namespace of the platform's own objects, such as Operations on objects without a namespace. */
export const platformNamespace = 'tappaas-system';
