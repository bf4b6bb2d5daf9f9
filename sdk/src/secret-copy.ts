/**
 * Annotation of a rendered Secret whose data the platform fills in while applying it: `<namespace>/<name>` of the Secret to copy.
 *
 * So a rendering contains no secret values, and neither releases nor logs can contain one.
 */
export const secretCopiedFrom = 'tappaas.dev/secret-copied-from';

/** Annotation beside {@link secretCopiedFrom}: the resourceVersion to copy. Any other version needs a new release, and is not applied. */
export const secretCopiedVersion = 'tappaas.dev/secret-version';
