/** Whether an answer is one that the document of its operation lets a client expect. */
import { Ajv, type ValidateFunction } from 'ajv';
import type { Document, Operation, Schema } from './openapi-document.ts';
import type { FuzzRequest } from './openapi-requests.ts';

export interface FuzzAnswer {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

/** Media types that clients request explicitly and that OpenAPI does not repeat for every operation. */
const requestedTypes = new Set(['application/vnd.kubernetes.protobuf', 'application/problem+json']);

/** Whether a query requests a watch, as Kubernetes parses it. */
export const isWatch = (path: string): boolean => /[?&]watch=(?!false(&|$)|0(&|$))/.test(path);

export class AnswerCheck {
  readonly #ajv: Ajv;
  readonly #compiled = new Map<string, ValidateFunction>();

  constructor({ components }: Document) {
    this.#ajv = new Ajv({ strict: false, validateFormats: false, allErrors: false });
    this.#ajv.addSchema({ $id: 'document', components: JSON.parse(JSON.stringify(components)) as object });
  }

  /** What is wrong with an answer, if anything. */
  problemOf({ operation, path, headers }: FuzzRequest, answer: FuzzAnswer): string | undefined {
    const { status, type, text } = answer;
    if (status >= 500) return `a status of ${status}`;
    const response = operation.responses[status];
    if (response === undefined) return `status ${status}, which the document does not know`;
    if (status >= 400) return refusalProblem(answer);
    if (status === 304) return undefined;
    const { content = {} } = response;
    if (requestedTypes.has(type)) return undefined;
    const schema = content[type]?.schema;
    if (schema === undefined) return `content of type ${type}, which the document does not know`;
    const isOther = (headers['accept'] ?? '').includes('as=Table') || isWatch(path);
    if (type !== 'application/json' || isOther) return undefined;
    return this.#schemaProblem(operation, schema, JSON.parse(text));
  }

  #schemaProblem({ method, path }: Operation, schema: Schema, value: unknown): string | undefined {
    const text = JSON.stringify(schema).replaceAll('"#/', '"document#/');
    const known = this.#compiled.get(text) ?? this.#ajv.compile(JSON.parse(text) as object);
    this.#compiled.set(text, known);
    if (known(value)) return undefined;
    const [first] = known.errors ?? [];
    return `${method} ${path} answers what its schema does not allow: ${first?.instancePath} ${first?.message} ${JSON.stringify(first?.params)}`;
  }
}

function refusalProblem({ status, type, text }: FuzzAnswer): string | undefined {
  if (/\bat (\S+ \()?(file:|node:|\/)\S+:\d+/.test(text)) return 'a stack in a refusal';
  if (type === 'application/yaml' || type === 'application/vnd.kubernetes.protobuf') return undefined;
  if (/<[a-z!/]/i.test(text)) return 'markup in a refusal';
  const received = JSON.parse(text) as Record<string, unknown>;
  if (type === 'application/problem+json') return received['status'] === status ? undefined : `a problem without its status: ${text}`;
  if (type !== 'application/json') return `a refusal of type ${type}`;
  const isStatus =
    received['kind'] === 'Status' &&
    received['apiVersion'] === 'v1' &&
    received['status'] === 'Failure' &&
    received['code'] === status &&
    typeof received['reason'] === 'string' &&
    received['reason'] !== '' &&
    typeof received['message'] === 'string' &&
    received['message'] !== '';
  return isStatus ? undefined : `a refusal that is no whole Status: ${text.slice(0, 300)}`;
}
