/**
 * Annotation, with the value `"true"`, of a rendered Job that must succeed before the release serves: Services, workloads and routes are
 * applied to the cluster only once it has completed. If it fails, the release has failed, and the previous release keeps serving.
 */
export const releaseTask = 'tappaas.dev/release-task';
