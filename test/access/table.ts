/**
 * Who may what, as one table: every endpoint that the platform serves is looked up here, and one that no row knows fails the matrix test.
 * Rows are tried in order. Add a row when you add a kind, a subresource, a route or a wire.
 */

/** Everybody in the matrix. The first five act on what belongs to tenant acme; `other-tenant` administers another one. */
export type Person = 'anonymous' | 'other-tenant' | 'viewer' | 'developer' | 'tenant-admin' | 'platform-admin';

const all: readonly Person[] = ['anonymous', 'other-tenant', 'viewer', 'developer', 'tenant-admin', 'platform-admin'];
const authenticated = all.slice(1);
const viewers = all.slice(2);
const developers = all.slice(3);
const tenantAdmins = all.slice(4);
const platformAdmins = all.slice(5);
/** Administrators of whichever tenant. */
const anyTenantAdmins: readonly Person[] = ['other-tenant', 'tenant-admin', 'platform-admin'];

/**
 * Where it is asked: in the namespace of tenant acme, across namespaces, about something of no namespace, or about a path that is not
 * about objects.
 */
export type Place = 'in' | 'across' | 'cluster' | 'path';

export type Engine = 'platform' | 'cluster';

/** The request, as text: `get apps.tappaas.dev/applications in`; paths as `GET /metrics path`. */
interface Row {
  readonly engine: Engine | '*';
  readonly what: RegExp;
  readonly allowed: readonly Person[];
}

const row = (engine: Row['engine'], what: RegExp, allowed: readonly Person[]): Row => ({ engine, what, allowed });

const rows: readonly Row[] = [
  // Questions about oneself, and what is served.
  row(
    '*',
    /^create (authorization\.k8s\.io\/selfsubject(access|rules)reviews|authentication\.k8s\.io\/selfsubjectreviews) /,
    authenticated,
  ),
  row('*', /^create authorization\.k8s\.io\/localsubjectaccessreviews in$/, tenantAdmins),
  row('*', /^create (authorization\.k8s\.io\/subjectaccessreviews|authentication\.k8s\.io\/tokenreviews) /, platformAdmins),

  // Namespaces and Tenants: the tenant's own are seen by everybody of it; lists are narrowed.
  row('platform', /^(list|watch) \/namespaces cluster$/, authenticated),
  row('platform', /^get \/namespaces cluster$/, viewers),
  row('platform', /^create \/namespaces cluster$/, anyTenantAdmins),
  row('platform', /^(update|patch|delete) \/namespaces cluster$/, tenantAdmins),
  row('platform', /^(list|watch) platform\.tappaas\.dev\/tenants cluster$/, authenticated),
  row('platform', /^get platform\.tappaas\.dev\/tenants cluster$/, viewers),
  row('cluster', /^get \/namespaces cluster$/, viewers),
  row('*', /^get \/namespaces\/status cluster$/, viewers),

  // Of API tokens and sessions everybody has their own: lists are narrowed. Those asked about are a developer's.
  row('platform', /^(list|watch|create) identity\.tappaas\.dev\/apitokens cluster$/, authenticated),
  row('platform', /^(get|update|patch|delete) identity\.tappaas\.dev\/apitokens cluster$/, developers),
  row('platform', /^create identity\.tappaas\.dev\/apitokens\/issue cluster$/, developers),
  row('platform', /^(list|watch) identity\.tappaas\.dev\/sessions cluster$/, authenticated),
  row('platform', /^(get|delete) identity\.tappaas\.dev\/sessions cluster$/, developers),

  // Everybody of a tenant sees its limits: lists are narrowed.
  row('platform', /^(list|watch) platform\.tappaas\.dev\/quotas cluster$/, authenticated),
  row('platform', /^get platform\.tappaas\.dev\/quotas cluster$/, viewers),

  // Nothing else of no namespace, and nothing across namespaces, for anybody of a tenant.
  row('*', / (across|cluster)$/, platformAdmins),

  // Secrets are not seen by who only looks.
  row('*', /^\w+ \/secrets in$/, developers),

  // What viewers see.
  row('*', /^(get|list|watch) (apps|config|ops)\.tappaas\.dev\/\S+ in$/, viewers),
  row(
    '*',
    /^(get|list|watch) \/(configmaps|events|serviceaccounts|pods|pods\/(log|status)|services|services\/status|endpoints) in$/,
    viewers,
  ),
  row(
    '*',
    /^(get|list|watch) (apps|batch|autoscaling|networking\.k8s\.io|discovery\.k8s\.io|policy|events\.k8s\.io|metrics\.k8s\.io)\/\S+ in$/,
    viewers,
  ),

  // What developers do.
  row('platform', /^\w+ apps\.tappaas\.dev\/(applications|applications\/(scale|restart|rollback)|builds|domains|scalers) in$/, developers),
  row('platform', /^(create|update|patch) ops\.tappaas\.dev\/(operations|operations\/cancel) in$/, developers),
  row('*', /^\w+ \/configmaps in$/, developers),
  row('*', /^(create|update|patch) (\/events|events\.k8s\.io\/events) in$/, developers),
  row('*', /^(delete) \/pods in$/, developers),
  row('*', /^(get|create) \/pods\/(attach|exec|portforward) in$/, developers),

  // What administrators of a tenant do.
  row('*', /^(create|update|patch|delete|deletecollection) \/serviceaccounts in$/, tenantAdmins),
  row('*', /^create \/serviceaccounts\/token in$/, tenantAdmins),
  row('*', /^\w+ rbac\.authorization\.k8s\.io\/(roles|rolebindings) in$/, tenantAdmins),

  // What the platform or its controllers write, and kinds of which nobody else knows anything.
  row('platform', /^\w+ (apps|config|ops)\.tappaas\.dev\/\S+ in$/, platformAdmins),
  row('platform', /^\w+ (coordination\.k8s\.io\/leases|\/events) in$/, platformAdmins),
  row('cluster', /^\w+ \/(pods|pods\/\w+|services|services\/status|endpoints|events) in$/, platformAdmins),
  row(
    'cluster',
    /^\w+ (apps|batch|autoscaling|networking\.k8s\.io|discovery\.k8s\.io|policy|coordination\.k8s\.io|events\.k8s\.io)\/\S+ in$/,
    platformAdmins,
  ),

  // Paths.
  row('platform', /^GET \/(livez|healthz|readyz) path$/, all),
  row('platform', /^GET \/(version|api|apis|openapi\/v3)(\/\S+)? path$/, authenticated),
  row('platform', /^GET \/(\.well-known\/openid-configuration|openid\/v1\/jwks) path$/, all),
  row('platform', /^GET \/metrics path$/, platformAdmins),
  // Below a cluster there is its API; of everything else nobody is told whether it is there.
  row('cluster', /^GET \/(livez|healthz|readyz|version|api|apis|openapi\/v3)(\/\S+)? path$/, authenticated),
  row('cluster', /^(GET|POST) \/graphql path$/, authenticated),
  row('cluster', /^GET \/(\.well-known|openid|audit|metrics)(\/\S+)? path$/, platformAdmins),
  row('platform', /^(GET|POST) \/graphql path$/, authenticated),
  // A WebSocket without a credential is let in to bring one by its first message; rooms are asked about by whoever has one.
  row('platform', /^UPGRADE \/(graphql|socket\.io\/) path$/, all),
  row('platform', /^UPGRADE \/\{objects\}\?watch=true path$/, viewers),
  row('platform', /^UPGRADE \/clusters\/local\/\{pods\}\/(attach|exec|portforward) path$/, developers),
  row('platform', /^ROOM (objects|events|operations|logs) path$/, viewers),
  row('platform', /^ROOM metrics path$/, platformAdmins),

  // Fields of GraphQL that are about whoever asks, or about the platform; nodes are asked for by the id of a Role.
  row('platform', /^FIELD Query\.(viewer|platform|rateLimit) path$/, authenticated),
  row('platform', /^FIELD Query\.(node|nodes) path$/, tenantAdmins),
  row('platform', /^FIELD (Viewer\.(name|groups|tenant|can)|RateLimit\.(cost|costMax|depth|depthMax)) path$/, authenticated),
  row('platform', /^FIELD (Platform\.(version|health)|HealthCheck\.(name|ok)) path$/, authenticated),
  row('platform', /^FIELD (Platform\.hooks|Hook\.(name|plugins)) path$/, platformAdmins),
  // What runs of an application, and what something is about: an application, here.
  row('platform', /^FIELD Application\.(pods|logs|configuration) path$/, viewers),
  row('platform', /^FIELD (ApplicationPod|LogLine|ConfigurationValue|Placement)\.\w+ path$/, viewers),
  row('platform', /^FIELD (Event|Operation|Release)\.object path$/, viewers),
  row('platform', /^FIELD Subscription\.applicationLogs path$/, viewers),
  row('platform', /^FIELD Subscription\.platformEvents path$/, authenticated),

  row('platform', /^GET \/audit(\/\S+)? path$/, platformAdmins),
  row('platform', /^GET \/plugins\/platform\/(routes|who-can) path$/, authenticated),
  row('platform', /^(GET|POST|PUT|DELETE) \/plugins\/platform\/\S+ path$/, platformAdmins),
  // Of those who are not logged in yet, and of providers; a page, and who a browser is logged in as: nobody, here.
  row('platform', /^GET \/plugins\/oidc\/session path$/, []),
  row('platform', /^(GET|POST) \/plugins\/oidc\/(issuers|login|callback(\/\S+)?|logout|backchannel-logout|account\.\w+) path$/, all),
  row('platform', /^GET \/plugins\/graphiql\/\S* path$/, all),
  row('platform', /^GET \/plugins\/policies\/shadow path$/, platformAdmins),
  row('platform', /^(GET|POST|PUT) \/plugins\/builds\/sources(\/\S+)? path$/, authenticated),
];

const used = new Set<Row>();

/** Who may do all of it; nothing when no row knows some of it. */
export function allowedPersons(engine: Engine, needs: readonly string[]): readonly Person[] | undefined {
  const found = needs.map((what) => rows.find((each) => (each.engine === '*' || each.engine === engine) && each.what.test(what)));
  for (const each of found) if (each !== undefined) used.add(each);
  if (found.includes(undefined)) return undefined;
  return all.filter((person) => found.every((each) => each?.allowed.includes(person)));
}

/** Rows that were not used so far: the platform does not serve them, or the matrix does not request them. */
export function unusedRows(): readonly string[] {
  return rows.filter((each) => !used.has(each)).map(({ engine, what }) => `${engine}: ${what.source}`);
}

export const people = all;
