//! What a generated kustomization is made of: a base with objects, an overlay, sometimes a component, and directives on each.
//!
//! Everything is a list of small parts, so that a difference shrinks by leaving out one after another.

use crate::random::Random;

/// A piece of a file. Pieces under one head (`patches:`) of one file are printed below it together.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) file: &'static str,
    pub(crate) head: &'static str,
    pub(crate) text: String,
    /// What it is, for counting.
    pub(crate) kind: &'static str,
}

/// Every kind of part.
pub(crate) const KINDS: &[&str] = &[
    "object",
    "base",
    "component",
    "namePrefix",
    "nameSuffix",
    "namespace",
    "labels",
    "commonLabels",
    "commonAnnotations",
    "images",
    "replicas",
    "merge patch",
    "JSON patch",
    "patchesStrategicMerge",
    "patchesJson6902",
    "configMapGenerator",
    "secretGenerator",
    "generatorOptions",
    "replacements",
    "vars",
    "configurations",
    "sortOptions",
    "buildMetadata",
    "transformers",
];

const BASE: &str = "base/kustomization.yaml";
const OVERLAY: &str = "app/kustomization.yaml";
const COMPONENT: &str = "extra/kustomization.yaml";

const NAMES: &[&str] = &["web", "db", "web-2", "a.b"];
const NAMESPACES: &[&str] = &["", "", "", "shop", "default", "other"];
const IMAGES: &[&str] = &[
    "nginx",
    "nginx:1.25",
    "registry.example:5000/team/app:v1",
    "app@sha256:24a0c4b4a4c0eb97a1aabb8e29f18e917d05abfe1b7a7c07857230879ce7d3d3",
];
const SCALARS: &[&str] = &[
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
const LABELS: &[&str] = &["app: web", "tier: front", "app.kubernetes.io/name: x", "team: \"1\""];

/// A kustomization in `app/`, drawn.
pub(crate) fn draw(random: &mut Random) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut put = |file, head, text: String, kind| parts.push(Part { file, head, text, kind });
    for _ in 0..=random.below(5) {
        put("base/objects.yaml", "", format!("{}---\n", object(random)), "object");
    }
    put(BASE, "resources:\n", "- objects.yaml\n".to_owned(), "base");
    put(OVERLAY, "resources:\n", "- ../base\n".to_owned(), "base");
    if random.once_in(3) {
        put("app/more.yaml", "", object(random), "object");
        put(OVERLAY, "resources:\n", "- more.yaml\n".to_owned(), "base");
    }
    for _ in 0..random.below(3) {
        directive(random, BASE, &mut put);
    }
    for _ in 0..=random.below(4) {
        directive(random, OVERLAY, &mut put);
    }
    if random.once_in(4) {
        put(COMPONENT, "", "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n".to_owned(), "component");
        put(OVERLAY, "components:\n", "- ../extra\n".to_owned(), "component");
        for _ in 0..=random.below(2) {
            directive(random, COMPONENT, &mut put);
        }
    }
    once_only(parts)
}

/// A directive that is no list may stand once in a file.
fn once_only(parts: Vec<Part>) -> Vec<Part> {
    const SINGLE: &[&str] = &[
        "namePrefix",
        "nameSuffix",
        "namespace",
        "commonLabels",
        "commonAnnotations",
        "generatorOptions",
        "sortOptions",
        "buildMetadata",
    ];
    let mut kept: Vec<Part> = Vec::new();
    for part in parts {
        if !(SINGLE.contains(&part.kind) && kept.iter().any(|seen| seen.kind == part.kind && seen.file == part.file)) {
            kept.push(part);
        }
    }
    kept
}

fn metadata(random: &mut Random, name: &str) -> String {
    let mut text = format!("metadata:\n  name: {name}\n");
    let namespace = *random.pick(NAMESPACES);
    if !namespace.is_empty() {
        text += &format!("  namespace: {namespace}\n");
    }
    if random.once_in(2) {
        text += &format!("  labels:\n    {}\n", random.pick(LABELS));
    }
    if random.once_in(3) {
        text += &format!("  annotations:\n    note: {}\n", random.pick(SCALARS));
    }
    text
}

fn object(random: &mut Random) -> String {
    let name = *random.pick(NAMES);
    let other = *random.pick(NAMES);
    let head = |random: &mut Random, api: &str, kind: &str| {
        format!("apiVersion: {api}\nkind: {kind}\n{}", metadata(random, name))
    };
    match random.below(12) {
        0..=2 => format!(
            "{}spec:\n  replicas: {}\n{}",
            head(random, "apps/v1", "Deployment"),
            random.below(4),
            pod_template(random, 2)
        ),
        3 => format!(
            "{}spec:\n  serviceName: {other}\n{}  volumeClaimTemplates:\n  - metadata: {{name: data}}\n    spec: {{accessModes: [ReadWriteOnce]}}\n",
            head(random, "apps/v1", "StatefulSet"),
            pod_template(random, 2)
        ),
        4 => format!(
            "{}spec:\n  selector:\n    {}\n  ports:\n  - port: 80\n    name: http\n    targetPort: {}\n  - port: 443\n    name: tls\n",
            head(random, "v1", "Service"),
            random.pick(LABELS),
            random.pick(&["http", "8080"])
        ),
        5 | 6 => format!(
            "{}data:\n  key: {}\n  other: {}\n  file.txt: |\n    one\n      two\n",
            head(random, "v1", "ConfigMap"),
            random.pick(SCALARS),
            random.pick(SCALARS)
        ),
        7 => format!("{}type: Opaque\nstringData:\n  a: {}\n", head(random, "v1", "Secret"), random.pick(SCALARS)),
        8 => format!(
            "{}spec:\n  rules:\n  - host: x.example\n    http:\n      paths:\n      - path: /\n        pathType: Prefix\n        backend:\n          service: {{name: {other}, port: {{number: 80}}}}\n  tls:\n  - secretName: {other}\n",
            head(random, "networking.k8s.io/v1", "Ingress")
        ),
        9 => format!(
            "{}subjects:\n- kind: ServiceAccount\n  name: {other}\n  namespace: {}\nroleRef:\n  apiGroup: rbac.authorization.k8s.io\n  kind: Role\n  name: {other}\n",
            head(random, "rbac.authorization.k8s.io/v1", "RoleBinding"),
            random.pick(&["default", "shop"])
        ),
        10 => match random.below(4) {
            0 => head(random, "v1", "ServiceAccount"),
            1 => format!(
                "{}rules:\n- apiGroups: [\"\"]\n  resources: [secrets]\n  resourceNames: [{other}]\n  verbs: [get]\n",
                head(random, "rbac.authorization.k8s.io/v1", "Role")
            ),
            2 => format!(
                "{}spec:\n  scaleTargetRef: {{apiVersion: apps/v1, kind: Deployment, name: {other}}}\n  maxReplicas: 3\n",
                head(random, "autoscaling/v2", "HorizontalPodAutoscaler")
            ),
            _ => format!(
                "{}spec:\n  schedule: \"0 * * * *\"\n  jobTemplate:\n    spec:\n{}",
                head(random, "batch/v1", "CronJob"),
                pod_template(random, 6)
            ),
        },
        _ => format!(
            "{}spec:\n  items:\n  - name: one\n    value: {}\n  - name: two\n  ref: {other}\n",
            head(random, "example.com/v1", "Thing"),
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

type Put<'a> = dyn FnMut(&'static str, &'static str, String, &'static str) + 'a;

fn directive(random: &mut Random, file: &'static str, put: &mut Put<'_>) {
    match random.below(22) {
        0 => put(file, "", format!("namePrefix: {}\n", random.pick(&["p-", "q.", "x"])), "namePrefix"),
        1 => put(file, "", format!("nameSuffix: {}\n", random.pick(&["-s", "-v2"])), "nameSuffix"),
        2 => put(file, "", format!("namespace: {}\n", random.pick(&["prod", "shop", "default"])), "namespace"),
        3 => {
            let label = *random.pick(LABELS);
            let more = *random.pick(&[
                "",
                "  includeSelectors: true\n",
                "  includeTemplates: true\n",
                "  fields:\n  - path: spec/more\n    create: true\n    kind: Thing\n",
            ]);
            put(file, "labels:\n", format!("- pairs:\n    {label}\n{more}"), "labels");
        }
        4 => put(file, "", format!("commonLabels:\n  {}\n", random.pick(LABELS)), "commonLabels"),
        5 => put(file, "", format!("commonAnnotations:\n  by: {}\n", random.pick(SCALARS)), "commonAnnotations"),
        6 => {
            let name = *random.pick(&["nginx", "registry.example:5000/team/app", "app"]);
            let new = *random.pick(&[
                "  newTag: v9\n",
                "  newName: mirror/x\n",
                "  newName: y\n  newTag: \"2\"\n",
                "  digest: sha256:1111111111111111111111111111111111111111111111111111111111111111\n",
                "  newTag: a\n  tagSuffix: -b\n",
            ]);
            put(file, "images:\n", format!("- name: {name}\n{new}"), "images");
        }
        7 => put(
            file,
            "replicas:\n",
            format!("- name: {}\n  count: {}\n", random.pick(NAMES), random.below(9)),
            "replicas",
        ),
        8..=10 => merge_patch(random, file, put),
        11 | 12 => {
            let patch = json_patch(random);
            put(
                file,
                "patches:\n",
                format!("- target:\n{}  patch: |-\n{}", target(random), indented(&patch, 4)),
                "JSON patch",
            );
        }
        13 => {
            let kind = *random.pick(&["Deployment", "ConfigMap", "Service"]);
            let api = if kind == "Deployment" { "apps/v1" } else { "v1" };
            let text = format!(
                "- |-\n  apiVersion: {api}\n  kind: {kind}\n  metadata:\n    name: {}\n  {}: {{x: {}}}\n",
                random.pick(NAMES),
                random.pick(&["spec", "data"]),
                random.pick(SCALARS)
            );
            put(file, "patchesStrategicMerge:\n", text, "patchesStrategicMerge");
        }
        14 => {
            let patch = json_patch(random);
            let text = format!(
                "- target: {{version: v1, kind: ConfigMap, name: {}}}\n  patch: |-\n{}",
                random.pick(NAMES),
                indented(&patch, 4)
            );
            put(file, "patchesJson6902:\n", text, "patchesJson6902");
        }
        15 | 16 => generator(random, file, put),
        17 => {
            let text = *random.pick(&[
                "disableNameSuffixHash: true\n",
                "labels: {gen: y}\n",
                "annotations: {gen: \"1\"}\n",
                "immutable: true\n",
            ]);
            put(file, "", format!("generatorOptions:\n  {text}"), "generatorOptions");
        }
        18 | 19 => replacement(random, file, put),
        20 => {
            let text = format!(
                "- name: V\n  objref: {{apiVersion: v1, kind: ConfigMap, name: {}}}\n  fieldref: {{fieldpath: {}}}\n",
                random.pick(NAMES),
                random.pick(&["metadata.name", "data.key", "metadata.namespace"])
            );
            put(file, "vars:\n", text, "vars");
        }
        _ => rarer(random, file, put),
    }
}

fn rarer(random: &mut Random, file: &'static str, put: &mut Put<'_>) {
    match random.below(4) {
        0 => {
            let (own, name) = match file {
                BASE => ("base/config.yaml", "config.yaml"),
                OVERLAY => ("app/config.yaml", "config.yaml"),
                _ => ("extra/config.yaml", "config.yaml"),
            };
            let text = *random.pick(&[
                "nameReference:\n- kind: Deployment\n  fieldSpecs:\n  - kind: Thing\n    path: spec/ref\n",
                "commonLabels:\n- path: spec/labels\n  create: true\n  kind: Thing\n",
                "images:\n- path: spec/ref\n  kind: Thing\n",
                "namespace:\n- path: spec/ns\n  create: true\n  kind: Thing\n",
                "varReference:\n- path: data/key\n  kind: ConfigMap\n",
            ]);
            put(own, "", text.to_owned(), "configurations");
            put(file, "configurations:\n", format!("- {name}\n"), "configurations");
        }
        1 => put(file, "", format!("sortOptions:\n  order: {}\n", random.pick(&["fifo", "legacy"])), "sortOptions"),
        2 => put(
            file,
            "",
            format!(
                "buildMetadata: [{}]\n",
                random.pick(&[
                    "originAnnotations",
                    "transformerAnnotations",
                    "managedByLabel",
                    "originAnnotations, managedByLabel"
                ])
            ),
            "buildMetadata",
        ),
        _ => {
            let text = *random.pick(&[
                "- |-\n  apiVersion: builtin\n  kind: PrefixSuffixTransformer\n  metadata: {name: t}\n  prefix: t-\n  fieldSpecs: [{path: metadata/name}]\n",
                "- |-\n  apiVersion: builtin\n  kind: AnnotationsTransformer\n  metadata: {name: t}\n  annotations: {t: \"1\"}\n  fieldSpecs: [{path: metadata/annotations, create: true}]\n",
                "- |-\n  apiVersion: builtin\n  kind: LabelTransformer\n  metadata: {name: t}\n  labels: {t: y}\n  fieldSpecs: [{path: metadata/labels, create: true}]\n",
                "- |-\n  apiVersion: builtin\n  kind: NamespaceTransformer\n  metadata: {name: t, namespace: tns}\n  unsetOnly: true\n",
                "- |-\n  apiVersion: builtin\n  kind: ReplicaCountTransformer\n  metadata: {name: t}\n  replica: {name: web, count: 7}\n  fieldSpecs: [{path: spec/replicas, create: true, kind: Deployment}]\n",
            ]);
            put(file, "transformers:\n", text.to_owned(), "transformers");
        }
    }
}

fn target(random: &mut Random) -> String {
    match random.below(5) {
        0 => format!("    kind: {}\n", random.pick(&["Deployment", "ConfigMap", "Service", "Thing"])),
        1 => format!("    name: {}\n", random.pick(&["web", "web.*", ".*", "p-web", "^db$"])),
        2 => format!("    kind: Deployment\n    name: {}\n", random.pick(NAMES)),
        3 => format!("    labelSelector: {}\n", random.pick(&["app=web", "app", "!tier", "app in (web, x)"])),
        _ => format!("    namespace: {}\n", random.pick(&["shop", "default", "prod"])),
    }
}

fn merge_patch(random: &mut Random, file: &'static str, put: &mut Put<'_>) {
    let body = *random.pick(&[
        "spec:\n  replicas: 8\n",
        "spec:\n  template:\n    spec:\n      containers:\n      - name: main\n        env:\n        - name: A\n          value: patched\n        - name: C\n          value: \"1\"\n",
        "spec:\n  template:\n    spec:\n      containers:\n      - name: side\n        $patch: delete\n",
        "spec:\n  template:\n    spec:\n      containers:\n      - name: new\n        image: new:1\n      initContainers:\n      - name: i\n        image: i\n",
        "spec:\n  template:\n    spec:\n      $setElementOrder/containers:\n      - name: side\n      - name: main\n      containers:\n      - name: main\n        image: z\n",
        "spec:\n  template:\n    spec:\n      containers:\n      - $patch: replace\n      - name: only\n        image: o\n",
        "spec:\n  template: null\n",
        "spec:\n  ports:\n  - port: 80\n    name: web\n  - port: 9\n    name: nine\n",
        "data:\n  key: null\n  new: \"1\"\n",
        "data: null\n",
        "$patch: delete\n",
        "$patch: replace\nspec: {}\n",
        "metadata:\n  labels:\n    app: patched\n  annotations:\n    note: null\n",
        "metadata:\n  name: renamed\n",
        "spec:\n  items:\n  - name: one\n    value: x\n",
        "spec:\n  strategy:\n    $retainKeys: [type]\n    type: Recreate\n",
    ]);
    let options = *random.pick(&[
        "",
        "",
        "",
        "  options:\n    allowNameChange: true\n",
        "  options:\n    allowKindChange: true\n",
    ]);
    let kind = *random.pick(&["Deployment", "Deployment", "Service", "ConfigMap", "Thing"]);
    let api = match kind {
        "Deployment" => "apps/v1",
        "Thing" => "example.com/v1",
        _ => "v1",
    };
    let named = if body.starts_with("metadata:") {
        body.replacen(
            "metadata:\n",
            &format!("metadata:\n  namespace: {}\n", random.pick(&["shop", "default"])),
            usize::from(random.once_in(2)),
        )
    } else {
        format!("metadata:\n  name: {}\n{body}", random.pick(NAMES))
    };
    let text = format!("apiVersion: {api}\nkind: {kind}\n{named}");
    let target = if random.once_in(2) { format!("  target:\n{}", target(random)) } else { String::new() };
    put(file, "patches:\n", format!("- patch: |-\n{}{target}{options}", indented(&text, 4)), "merge patch");
}

fn json_patch(random: &mut Random) -> String {
    let paths = [
        "/metadata/labels/app",
        "/metadata/annotations/note",
        "/spec/replicas",
        "/spec/template/spec/containers/0/image",
        "/data/key",
        "/data/a~1b",
        "/spec/ports/-",
        "/spec/items/1",
        "/metadata/name",
        "/spec/none/deep",
    ];
    let mut text = String::new();
    for _ in 0..=random.below(2) {
        let (path, value) = (*random.pick(&paths), *random.pick(SCALARS));
        text += &match random.below(6) {
            0 | 1 => format!("- {{op: add, path: {path}, value: {value}}}\n"),
            2 | 3 => format!("- {{op: replace, path: {path}, value: {value}}}\n"),
            4 => format!("- {{op: remove, path: {path}}}\n"),
            _ => format!("- {{op: {}, from: {}, path: {path}}}\n", random.pick(&["copy", "move"]), random.pick(&paths)),
        };
    }
    text
}

fn generator(random: &mut Random, file: &'static str, put: &mut Put<'_>) {
    let secret = random.once_in(3);
    let mut text = format!("- name: {}\n", random.pick(NAMES));
    if random.once_in(3) {
        text += &format!("  namespace: {}\n", random.pick(&["shop", "default"]));
    }
    if random.once_in(3) {
        text += &format!("  behavior: {}\n", random.pick(&["merge", "replace", "create"]));
    }
    text += &format!("  literals:\n  - key={}\n  - b='quoted'\n", random.pick(&["1", "a=b", "yes", "\"x y\"", "ünï"]));
    if random.once_in(3) {
        text += "  options:\n    disableNameSuffixHash: true\n    labels: {own: \"1\"}\n";
    }
    if random.once_in(3) {
        let own = match file {
            BASE => "base/env.env",
            OVERLAY => "app/env.env",
            _ => "extra/env.env",
        };
        put(own, "", "# c\nX=1\n  Y = two words \nZ=\n".to_owned(), "configMapGenerator");
        text += "  envs: [env.env]\n";
    }
    if secret && random.once_in(2) {
        text += "  type: example.com/kind\n";
    }
    let (head, kind) = if secret {
        ("secretGenerator:\n", "secretGenerator")
    } else {
        ("configMapGenerator:\n", "configMapGenerator")
    };
    put(file, head, text, kind);
}

fn replacement(random: &mut Random, file: &'static str, put: &mut Put<'_>) {
    let source = *random.pick(&[
        "    fieldPath: metadata.name\n",
        "    fieldPath: data.key\n",
        "    fieldPath: spec.replicas\n",
        "",
        "    fieldPath: spec.template.spec.containers.[name=main].image\n    options: {delimiter: ':', index: 0}\n",
    ]);
    let kind = *random.pick(&["Deployment", "ConfigMap", "Service"]);
    let paths = *random.pick(&[
        "    - metadata.annotations.note\n    options: {create: true}\n",
        "    - spec.template.spec.containers.[name=main].env.[name=A].value\n",
        "    - spec.template.spec.containers.*.image\n    options: {delimiter: ':', index: 1}\n",
        "    - data.other\n",
        "    - spec.items.[name=one].value\n    options: {create: true}\n",
        "    - spec.ports.0.port\n",
        "    - data[file.txt]\n",
        "    - metadata.labels.app\n    - spec.selector.app\n",
    ]);
    let reject =
        if random.once_in(3) { format!("    reject:\n    - name: {}\n", random.pick(NAMES)) } else { String::new() };
    let select = *random.pick(&["kind: Deployment", "kind: ConfigMap", "kind: Thing", "name: web", "kind: Service"]);
    let text = format!(
        "- source:\n    kind: {kind}\n    name: {}\n{source}  targets:\n  - select:\n      {select}\n{reject}    fieldPaths:\n{paths}",
        random.pick(NAMES)
    );
    put(file, "replacements:\n", text, "replacements");
}

fn indented(text: &str, by: usize) -> String {
    let pad = " ".repeat(by);
    text.lines().flat_map(|line| [&*pad, line, "\n"]).collect()
}
