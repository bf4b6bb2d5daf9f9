import type { Context } from '../context.js';
import type { Strings } from '../values.js';

/** A request to build an image. */
export interface BuildRequest {
  /** Directory with the source; treat it as read-only, and its content as untrusted. */
  readonly sourceDirectory: string;
  /** Directory of the OCI image layout that the image is written to. */
  readonly imagesDirectory: string;
  readonly application: { readonly namespace: string; readonly name: string };
  readonly parameters: Strings;
}

/** The result of a build. */
export interface BuildResult {
  /** `sha256:…` of the image manifest in the layout. */
  readonly imageDigest: string;
  /** Where the builder found the command, for people: `package.json "start"`. Absent: the image has none, so each process must name one. */
  readonly startedBy?: string;
  readonly cached: boolean;
}

/** A build context: output lines go to the Build's log. */
export interface BuildContext extends Context {
  output(line: string): void;
  /** Aborts when the image is no longer wanted: end every process and remove every file of the build. `signal` does not abort then. */
  readonly cancelled: AbortSignal;
}

/** Turns source into an image in an OCI image layout; content-addressed: the same source gives the same digest. */
export interface Builder {
  readonly description: string;
  /** Builds an image. @throws TAP_BUILD_FAILED with a problem that the author of the source can fix. */
  build(request: BuildRequest, context: BuildContext): Promise<BuildResult>;
}

/** Recognises the input of `tappaas deploy` and converts it to Application specs. Pure: runs on the machine that has the files. */
export interface InputType {
  readonly description: string;
  /** File names by which the input type is recognised. */
  readonly fileNames: readonly string[];
  /** Converts the files, given as text by name. @throws TAP_INPUT_UNSUPPORTED naming every unsupported part. */
  read(files: Readonly<Record<string, string>>): Promise<readonly { readonly name: string; readonly spec: unknown }[]>;
}
