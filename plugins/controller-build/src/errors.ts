import { defineErrors } from '@tappaas/sdk';

const caller = { blame: 'caller', retry: 'never' } as const;

/** Errors of uploaded source and builds. */
export const sourceErrors = defineErrors({
  CONTROLLER_BUILD_DIGEST_MISMATCH: { ...caller, httpStatus: 400, remedy: 'Send the archive whose SHA-256 digest is in the path.' },
  CONTROLLER_BUILD_NAMESPACE_MISSING: { ...caller, httpStatus: 400, remedy: 'Add ?namespace= and the namespace of the application.' },
  CONTROLLER_BUILD_ARCHIVE_REFUSED: {
    ...caller,
    httpStatus: 400,
    remedy: 'Send a gzipped tar of ordinary files and folders with relative names.',
  },
  CONTROLLER_BUILD_ARCHIVE_TOO_LARGE: {
    ...caller,
    httpStatus: 413,
    remedy: 'Leave build products out with a .tappaasignore file, or raise the limit named.',
  },
  CONTROLLER_BUILD_SOURCES_FULL: {
    httpStatus: 403,
    blame: 'caller',
    retry: 'back-off',
    remedy: 'Wait until builds have ended, cancel or delete some, or let the operator raise the limit named.',
  },
  CONTROLLER_BUILD_SOURCE_UNKNOWN: {
    ...caller,
    httpStatus: 404,
    remedy: 'Upload the source for this namespace first; tappaas deploy does it by itself.',
  },
  CONTROLLER_BUILD_BUILDER_UNKNOWN: {
    ...caller,
    httpStatus: 422,
    remedy: 'Name a loaded builder in spec.builder, or load one in the configuration.',
  },
});
