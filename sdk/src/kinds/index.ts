/** `@tappaas/sdk/kinds`: typed handles of the platform's own kinds. */
export { Application, type ApplicationObject } from './application.js';
export { Build, type BuildObject } from './build.js';
export { commonStatus, conditionSchema, conditionsSchema, listByName, oneOf } from './condition.js';
export { Operation, type OperationObject } from './operation.js';
export { PluginStatus, Tenant, type PluginStatusObject, type TenantObject } from './platform.js';
export { Release, type ReleaseObject } from './release.js';
