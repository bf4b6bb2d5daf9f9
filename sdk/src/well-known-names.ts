/** Members may do everything, whatever roles and policies say. Kubernetes' own name for that group. */
export const administratorsGroup = 'system:masters';

/** The group of every caller whose credential was accepted. */
export const authenticatedGroup = 'system:authenticated';

/** The group of every service account of every namespace. */
export const serviceAccountsGroup = 'system:serviceaccounts';

/** The label by which a namespace belongs to a tenant; in reviews and for impersonation, the key of the extra that names a caller's tenant. */
export const tenantLabel = 'tappaas.dev/tenant';

/** The name of the engine behind `/api` and `/apis`, which holds the platform's own objects. Engines of plugins have the plugin's instance id. */
export const platformEngine = 'platform';

/** The user that a service account is. */
export const serviceAccountUser = (namespace: string, name: string): string => `system:serviceaccount:${namespace}:${name}`;

/** The groups that a service account of a namespace is in, besides {@link authenticatedGroup}. */
export const serviceAccountGroups = (namespace: string): readonly string[] => [
  serviceAccountsGroup,
  `${serviceAccountsGroup}:${namespace}`,
];

/** In reviews, the keys of the extras that name what a credential is narrowed to. */
export const scopeExtras = Object.freeze({ namespaces: 'tappaas.dev/scope-namespaces', verbs: 'tappaas.dev/scope-verbs' });

/** The namespace of what is the platform's own, such as Operations on objects without a namespace. */
export const platformNamespace = 'tappaas-system';
