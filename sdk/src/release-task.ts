/**
 * Annotation, with the value `"true"`, of a rendered Job that must succeed before anything comes to its cluster that serves: Services, workloads
 * and routes are applied only once it has completed. When it fails the release has failed, and what served before goes on serving.
 */
export const releaseTask = 'tappaas.dev/release-task';
