/**
 * Annotation of a rendered Secret that makes the platform fill in its data while it is applied: `<namespace>/<name>` of the Secret to copy.
 *
 * A rendering carries no values this way, so neither releases nor logs can hold one.
 */
export const secretCopiedFrom = 'tappaas.dev/secret-copied-from';

/** Annotation beside {@link secretCopiedFrom}: the resourceVersion that was meant. Another one is another release, and is not applied. */
export const secretCopiedVersion = 'tappaas.dev/secret-version';
