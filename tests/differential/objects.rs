//! The objects that generated kustomizations are about, and what is known of them for directives to speak of.

use crate::random::Random;

pub(crate) const NAMES: &[&str] = &["web", "db", "web-2", "a.b"];
const NAMESPACES: &[&str] = &["", "", "", "shop", "default", "other"];
const IMAGES: &[&str] = &[
    "nginx",
    "nginx:1.25",
    "registry.example:5000/team/app:v1",
    "app@sha256:24a0c4b4a4c0eb97a1aabb8e29f18e917d05abfe1b7a7c07857230879ce7d3d3",
];
pub(crate) const SCALARS: &[&str] = &[
    "plain",
    "\"5\"",
    "5",
    "yes",
    "\"yes\"",
    "null",
    "~",
    "1.0",
    "0x1F",
    "2020-01-02",
    "'it''s'",
    "\"a: b\"",
    "\"\"",
    "1e3",
    "0755",
    "\"two\\nlines\"",
    "\"long text that goes on and on until it is wider than any line of YAML would like to be, and more\"",
    "on",
    "-0",
];
pub(crate) const TEXTS: &[&str] =
    &["plain", "\"5\"", "\"yes\"", "'it''s'", "\"a: b\"", "\"\"", "\"two\\nlines\"", "2020-01-02T"];
pub(crate) const LABELS: &[&str] = &["app: web", "tier: front", "app.kubernetes.io/name: x", "team: \"1\""];

/// An object that was drawn, for what is said about it later.
#[derive(Clone, Debug)]
pub(crate) struct Made {
    pub(crate) api: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) name: &'static str,
    pub(crate) namespace: &'static str,
    pub(crate) labelled: bool,
}

/// How often, one in so many, something is said of an object that may not be there.
pub(crate) const WILD: usize = 12;

/// What the directives of one draw may speak of.
#[derive(Default)]
pub(crate) struct Known {
    pub(crate) objects: Vec<Made>,
    /// Names of generators, which must be told apart.
    pub(crate) generated: Vec<String>,
    /// True once there is a var.
    pub(crate) vars: bool,
}

impl Known {
    /// An object of one of these kinds, or any where none are named.
    pub(crate) fn one(&self, random: &mut Random, kinds: &[&str]) -> Option<Made> {
        let fitting: Vec<&Made> =
            self.objects.iter().filter(|made| kinds.is_empty() || kinds.contains(&made.kind)).collect();
        if fitting.is_empty() { None } else { Some((*random.pick(&fitting)).clone()) }
    }
}

fn metadata(random: &mut Random, made: &Made) -> String {
    let mut text = format!("metadata:\n  name: {}\n", made.name);
    if !made.namespace.is_empty() {
        text += &format!("  namespace: {}\n", made.namespace);
    }
    if made.labelled {
        text += &format!("  labels:\n    {}\n", random.pick(LABELS));
    }
    if random.once_in(3) {
        text += &format!("  annotations:\n    note: {}\n", random.pick(SCALARS));
    }
    text
}

/// Kinds as often as they are drawn.
const DRAWN: &[(&str, &str)] = &[
    ("apps/v1", "Deployment"),
    ("apps/v1", "Deployment"),
    ("apps/v1", "Deployment"),
    ("apps/v1", "StatefulSet"),
    ("v1", "Service"),
    ("v1", "ConfigMap"),
    ("v1", "ConfigMap"),
    ("v1", "Secret"),
    ("networking.k8s.io/v1", "Ingress"),
    ("rbac.authorization.k8s.io/v1", "RoleBinding"),
    ("v1", "ServiceAccount"),
    ("rbac.authorization.k8s.io/v1", "Role"),
    ("autoscaling/v2", "HorizontalPodAutoscaler"),
    ("batch/v1", "CronJob"),
    ("example.com/v1", "Thing"),
    ("example.com/v1", "Thing"),
];

/// An object whose identity is free; nothing where the one drawn is taken.
pub(crate) fn object(random: &mut Random, known: &mut Known) -> Option<String> {
    let (api, kind) = *random.pick(DRAWN);
    let namespace = *random.pick(NAMESPACES);
    let made = Made { api, kind, name: *random.pick(NAMES), namespace, labelled: random.once_in(2) };
    // whatever the namespace: one that is set later brings them together
    if known.objects.iter().any(|other| (other.kind, other.name) == (kind, made.name)) && !random.once_in(WILD) {
        return None;
    }
    let text = object_text(random, &made);
    known.objects.push(made);
    Some(text)
}

fn object_text(random: &mut Random, made: &Made) -> String {
    let other = *random.pick(NAMES);
    let head =
        |random: &mut Random| format!("apiVersion: {}\nkind: {}\n{}", made.api, made.kind, metadata(random, made));
    match made.kind {
        "Deployment" => format!("{}spec:\n  replicas: {}\n{}", head(random), random.below(4), pod_template(random, 2)),
        "StatefulSet" => format!(
            "{}spec:\n  serviceName: {other}\n{}  volumeClaimTemplates:\n  - metadata: {{name: data}}\n    spec: {{accessModes: [ReadWriteOnce]}}\n",
            head(random),
            pod_template(random, 2)
        ),
        "Service" => format!(
            "{}spec:\n  selector:\n    {}\n  ports:\n  - port: 80\n    name: http\n    targetPort: {}\n  - port: 443\n    name: tls\n",
            head(random),
            random.pick(LABELS),
            random.pick(&["http", "8080"])
        ),
        "ConfigMap" => format!(
            "{}data:\n  key: {}\n  other: {}\n  file.txt: |\n    one\n      two\n",
            head(random),
            random.pick(SCALARS),
            random.pick(SCALARS)
        ),
        "Secret" => format!("{}type: Opaque\nstringData:\n  a: {}\n", head(random), random.pick(SCALARS)),
        "Ingress" => format!(
            "{}spec:\n  rules:\n  - host: x.example\n    http:\n      paths:\n      - path: /\n        pathType: Prefix\n        backend:\n          service: {{name: {other}, port: {{number: 80}}}}\n  tls:\n  - secretName: {other}\n",
            head(random)
        ),
        "RoleBinding" => format!(
            "{}subjects:\n- kind: ServiceAccount\n  name: {other}\n  namespace: {}\nroleRef:\n  apiGroup: rbac.authorization.k8s.io\n  kind: Role\n  name: {other}\n",
            head(random),
            random.pick(&["default", "shop"])
        ),
        "ServiceAccount" => head(random),
        "Role" => format!(
            "{}rules:\n- apiGroups: [\"\"]\n  resources: [secrets]\n  resourceNames: [{other}]\n  verbs: [get]\n",
            head(random)
        ),
        "HorizontalPodAutoscaler" => format!(
            "{}spec:\n  scaleTargetRef: {{apiVersion: apps/v1, kind: Deployment, name: {other}}}\n  maxReplicas: 3\n",
            head(random)
        ),
        "CronJob" => format!(
            "{}spec:\n  schedule: \"0 * * * *\"\n  jobTemplate:\n    spec:\n{}",
            head(random),
            pod_template(random, 6)
        ),
        _ => format!(
            "{}spec:\n  items:\n  - name: one\n    value: {}\n  - name: two\n  ref: {other}\n",
            head(random),
            random.pick(SCALARS)
        ),
    }
}

/// `template:` of pods, indented.
fn pod_template(random: &mut Random, indent: usize) -> String {
    let other = *random.pick(NAMES);
    let mut text = format!("template:\n  metadata:\n    labels:\n      {}\n  spec:\n", random.pick(LABELS));
    if random.once_in(2) {
        text += &format!("    serviceAccountName: {other}\n");
    }
    text += &format!("    containers:\n    - name: main\n      image: {}\n", random.pick(IMAGES));
    if random.once_in(2) {
        text += &format!(
            "      env:\n      - name: A\n        value: {}\n      - name: B\n        valueFrom:\n          configMapKeyRef: {{name: {other}, key: key}}\n",
            random.pick(SCALARS)
        );
    }
    if random.once_in(3) {
        text += "      args: [\"--x\", \"$(V)\"]\n";
    }
    if random.once_in(2) {
        text += &format!(
            "    - name: side\n      image: {}\n      ports:\n      - containerPort: 80\n",
            random.pick(IMAGES)
        );
    }
    if random.once_in(2) {
        text += &format!(
            "    volumes:\n    - name: v\n      configMap: {{name: {other}}}\n    - name: s\n      secret: {{secretName: {other}}}\n"
        );
    }
    indented(&text, indent)
}

pub(crate) fn indented(text: &str, by: usize) -> String {
    let pad = " ".repeat(by);
    text.lines().flat_map(|line| [&*pad, line, "\n"]).collect()
}
