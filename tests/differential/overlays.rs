//! What a generated kustomization is made of: a base with objects, an overlay, sometimes a component, and directives on each.
//!
//! Everything is a list of small parts, so that a difference shrinks by leaving out one after another.

use crate::objects::{Known, LABELS, Made, NAMES, SCALARS, TEXTS, WILD, indented, object};
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
    "openapi",
];

const BASE: &str = "base/kustomization.yaml";
const OVERLAY: &str = "app/kustomization.yaml";
const COMPONENT: &str = "extra/kustomization.yaml";

/// Things, whose items merge by name and whose ports by number.
const OPENAPI: &str = r#"{"definitions": {"example.v1.Thing": {"type": "object", "properties": {"spec": {"type": "object", "properties": {
  "items": {"type": "array", "x-kubernetes-patch-merge-key": "name", "x-kubernetes-patch-strategy": "merge", "items": {"type": "object"}}}}},
  "x-kubernetes-group-version-kind": [{"group": "example.com", "version": "v1", "kind": "Thing"}]}}}
"#;
/// A kustomization in `app/`, drawn.
pub(crate) fn draw(random: &mut Random) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut known = Known::default();
    let mut put = |file, head, text: String, kind| parts.push(Part { file, head, text, kind });
    for _ in 0..=1 + random.below(5) {
        if let Some(text) = object(random, &mut known) {
            put("base/objects.yaml", "", format!("{text}---\n"), "object");
        }
    }
    put(BASE, "resources:\n", "- objects.yaml\n".to_owned(), "base");
    put(OVERLAY, "resources:\n", "- ../base\n".to_owned(), "base");
    for _ in 0..random.below(3) {
        directive(random, BASE, &mut known, &mut put);
    }
    if random.once_in(3)
        && let Some(text) = object(random, &mut known)
    {
        put("app/more.yaml", "", text, "object");
        put(OVERLAY, "resources:\n", "- more.yaml\n".to_owned(), "base");
    }
    for _ in 0..=random.below(4) {
        directive(random, OVERLAY, &mut known, &mut put);
    }
    if random.once_in(4) {
        put(COMPONENT, "", "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n".to_owned(), "component");
        put(OVERLAY, "components:\n", "- ../extra\n".to_owned(), "component");
        for _ in 0..=random.below(2) {
            directive(random, COMPONENT, &mut known, &mut put);
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
        "openapi",
    ];
    let mut kept: Vec<Part> = Vec::new();
    for part in parts {
        if !(SINGLE.contains(&part.kind) && kept.iter().any(|seen| seen.kind == part.kind && seen.file == part.file)) {
            kept.push(part);
        }
    }
    kept
}

/// A name of an object that may not be there, once in a while.
fn wild(random: &mut Random) -> Option<&'static str> {
    random.once_in(WILD).then(|| *random.pick(NAMES))
}

/// A scalar that is a text, as maps of labels and annotations want it.
fn text(random: &mut Random) -> &'static str {
    if random.once_in(WILD) { *random.pick(SCALARS) } else { *random.pick(TEXTS) }
}

type Put<'a> = dyn FnMut(&'static str, &'static str, String, &'static str) + 'a;

fn directive(random: &mut Random, file: &'static str, known: &mut Known, put: &mut Put<'_>) {
    match random.below(23) {
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
        5 => put(file, "", format!("commonAnnotations:\n  by: {}\n", text(random)), "commonAnnotations"),
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
        7 => {
            let name = known.one(random, &["Deployment", "StatefulSet"]).map(|made| made.name);
            if let Some(name) = name.or_else(|| wild(random)) {
                put(file, "replicas:\n", format!("- name: {name}\n  count: {}\n", random.below(9)), "replicas");
            }
        }
        8..=10 => merge_patch(random, file, known, put),
        11 | 12 => {
            if let Some(made) = known.one(random, &[]) {
                let patch = indented(&json_patch(random, &made), 4);
                let one = format!("    kind: {}\n    name: {}\n", made.kind, made.name);
                let target = if random.once_in(WILD) { target(random) } else { one };
                put(file, "patches:\n", format!("- target:\n{target}  patch: |-\n{patch}"), "JSON patch");
            }
        }
        13 | 14 => older_patch(random, file, known, put),
        15 | 16 => generator(random, file, known, put),
        17 => {
            let text = *random.pick(&[
                "disableNameSuffixHash: true\n",
                "labels: {gen: y}\n",
                "annotations: {gen: \"1\"}\n",
                "immutable: true\n",
            ]);
            put(file, "", format!("generatorOptions:\n  {text}"), "generatorOptions");
        }
        18 | 19 => replacement(random, file, known, put),
        20 => {
            if let (Some(made), false) = (known.one(random, &["ConfigMap"]), known.vars && !random.once_in(WILD)) {
                known.vars = true;
                let place = if made.namespace.is_empty() { "metadata.name" } else { "metadata.namespace" };
                let text = format!(
                    "- name: V\n  objref: {{apiVersion: v1, kind: ConfigMap, name: {}}}\n  fieldref: {{fieldpath: {}}}\n",
                    made.name,
                    random.pick(&["metadata.name", "data.key", place])
                );
                put(file, "vars:\n", text, "vars");
            }
        }
        // the first schema met counts for the whole build, so that one is enough
        21 if file == OVERLAY => {
            put("app/schema.json", "", OPENAPI.to_owned(), "openapi");
            put(file, "", "openapi: {path: schema.json}\n".to_owned(), "openapi");
        }
        _ => rarer(random, file, put),
    }
}

/// A patch under one of the fields that `patches` took the place of.
fn older_patch(random: &mut Random, file: &'static str, known: &Known, put: &mut Put<'_>) {
    if random.once_in(2) {
        let Some(made) = known.one(random, &["ConfigMap"]) else { return };
        let patch = indented(&json_patch(random, &made), 4);
        let place = if made.namespace.is_empty() { String::new() } else { format!(", namespace: {}", made.namespace) };
        let text =
            format!("- target: {{version: v1, kind: ConfigMap, name: {}{place}}}\n  patch: |-\n{patch}", made.name);
        put(file, "patchesJson6902:\n", text, "patchesJson6902");
        return;
    }
    let Some(made) = known.one(random, &["Deployment", "ConfigMap", "Service", "Thing"]) else { return };
    let Made { api, kind, name, namespace, .. } = made;
    let place = if namespace.is_empty() { String::new() } else { format!("    namespace: {namespace}\n") };
    let field = if kind == "ConfigMap" { "data" } else { "spec" };
    let text = format!(
        "- |-\n  apiVersion: {api}\n  kind: {kind}\n  metadata:\n    name: {name}\n{place}  {field}: {{x: {}}}\n",
        random.pick(SCALARS)
    );
    put(file, "patchesStrategicMerge:\n", text, "patchesStrategicMerge");
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

/// Bodies of merge patches, with the kinds that they are for.
const BODIES: &[(&str, &[&str])] = &[
    ("spec:\n  replicas: 8\n", &["Deployment", "StatefulSet"]),
    (
        "spec:\n  template:\n    spec:\n      containers:\n      - name: main\n        env:\n        - name: A\n          value: patched\n        - name: C\n          value: \"1\"\n",
        PODS,
    ),
    ("spec:\n  template:\n    spec:\n      containers:\n      - name: side\n        $patch: delete\n", PODS),
    (
        "spec:\n  template:\n    spec:\n      containers:\n      - name: new\n        image: new:1\n      initContainers:\n      - name: i\n        image: i\n",
        PODS,
    ),
    (
        "spec:\n  template:\n    spec:\n      $setElementOrder/containers:\n      - name: side\n      - name: main\n      containers:\n      - name: main\n        image: z\n",
        PODS,
    ),
    (
        "spec:\n  template:\n    spec:\n      containers:\n      - $patch: replace\n      - name: only\n        image: o\n",
        PODS,
    ),
    ("spec:\n  template:\n    spec:\n      volumes:\n      - name: v\n        $patch: delete\n", PODS),
    ("spec:\n  template: null\n", PODS),
    ("spec:\n  strategy:\n    $retainKeys: [type]\n    type: Recreate\n", &["Deployment"]),
    ("spec:\n  ports:\n  - port: 80\n    name: web\n  - port: 9\n    name: nine\n", &["Service"]),
    ("data:\n  key: null\n  new: \"1\"\n", &["ConfigMap", "Secret"]),
    ("data: null\n", &["ConfigMap"]),
    ("$patch: delete\n", &["Ingress", "Role", "ServiceAccount", "Thing"]),
    ("$patch: replace\nspec: {}\n", &["Service", "Thing"]),
    ("metadata:\n  labels:\n    app: patched\n  annotations:\n    note: null\n", &[]),
    ("spec:\n  items:\n  - name: one\n    value: x\n", &["Thing"]),
    ("spec:\n  items:\n  - name: two\n    $patch: delete\n", &["Thing"]),
];

const PODS: &[&str] = &["Deployment", "StatefulSet"];

fn merge_patch(random: &mut Random, file: &'static str, known: &Known, put: &mut Put<'_>) {
    let (body, kinds) = *random.pick(BODIES);
    let kinds = if random.once_in(WILD) { &[] } else { kinds };
    let Some(made) = known.one(random, kinds) else { return };
    let name = wild(random).unwrap_or(made.name);
    let options = match random.below(8) {
        0 => "  options:\n    allowNameChange: true\n",
        1 => "  options:\n    allowKindChange: true\n",
        _ => "",
    };
    let place = if made.namespace.is_empty() { String::new() } else { format!("  namespace: {}\n", made.namespace) };
    let more = body.strip_prefix("metadata:\n");
    let text = format!(
        "apiVersion: {}\nkind: {}\nmetadata:\n  name: {name}\n{place}{}",
        made.api,
        made.kind,
        more.unwrap_or(body)
    );
    let target = match random.below(4) {
        0 => format!("  target:\n    kind: {}\n", made.kind),
        1 if random.once_in(3) => format!("  target:\n{}", target(random)),
        _ => String::new(),
    };
    put(file, "patches:\n", format!("- patch: |-\n{}{target}{options}", indented(&text, 4)), "merge patch");
}

/// Paths that an object of a kind has.
fn json_paths(made: &Made) -> Vec<&'static str> {
    let mut paths = match made.kind {
        "Deployment" => {
            vec!["/spec/replicas", "/spec/template/spec/containers/0/image", "/spec/template/metadata/labels"]
        }
        "StatefulSet" => vec!["/spec/serviceName", "/spec/template/spec/containers/0/name"],
        "Service" => vec!["/spec/ports/0/port", "/spec/ports/1", "/spec/selector"],
        "ConfigMap" => vec!["/data/key", "/data/file.txt"],
        "Secret" => vec!["/stringData/a", "/type"],
        "Ingress" => vec!["/spec/rules/0/host", "/spec/tls"],
        "Thing" => vec!["/spec/items/1", "/spec/ref", "/spec/items/0/value"],
        _ => vec!["/metadata/name"],
    };
    if made.labelled {
        paths.push("/metadata/labels");
    }
    paths
}

fn json_patch(random: &mut Random, made: &Made) -> String {
    let anywhere = ["/metadata/labels/app", "/data/a~1b", "/spec/ports/-", "/spec/none/deep", "/metadata/name"];
    let free = ["/metadata/annotations", "/extra", "/spec"];
    let mut text = String::new();
    for _ in 0..=random.below(2) {
        let there = *random.pick(&json_paths(made));
        let there = if random.once_in(WILD) { *random.pick(&anywhere) } else { there };
        let value = *random.pick(SCALARS);
        text += &match random.below(7) {
            0 | 1 => format!("- {{op: replace, path: {there}, value: {value}}}\n"),
            2 => format!("- {{op: remove, path: {there}}}\n"),
            3 => format!("- {{op: add, path: {}, value: {{a: {value}, b: [1, {value}]}}}}\n", random.pick(&free)),
            4 => format!("- {{op: copy, from: {there}, path: /extra}}\n"),
            5 => format!("- {{op: test, path: /kind, value: {}}}\n", made.kind),
            _ => format!("- {{op: add, path: {there}, value: {value}}}\n"),
        };
    }
    text
}

fn generator(random: &mut Random, file: &'static str, known: &mut Known, put: &mut Put<'_>) {
    let secret = random.once_in(3);
    let there = known.one(random, &[if secret { "Secret" } else { "ConfigMap" }]);
    let mut text = if let Some(made) = there.filter(|_| random.once_in(2)) {
        let place =
            if made.namespace.is_empty() { String::new() } else { format!("  namespace: {}\n", made.namespace) };
        let behavior = if random.once_in(WILD) { "create" } else { *random.pick(&["merge", "replace"]) };
        format!("- name: {}\n{place}  behavior: {behavior}\n", made.name)
    } else {
        let free: Vec<&str> = ["made", "web", "db", "kept", "web-2"]
            .into_iter()
            .filter(|name| !known.generated.iter().any(|other| other == name))
            .filter(|name| !known.objects.iter().any(|other| other.name == *name))
            .collect();
        let name = if free.is_empty() || random.once_in(WILD) { *random.pick(NAMES) } else { *random.pick(&free) };
        known.generated.push(name.to_owned());
        format!("- name: {name}\n")
    };
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

fn replacement(random: &mut Random, file: &'static str, known: &Known, put: &mut Put<'_>) {
    let kinds = ["Deployment", "ConfigMap", "Service", "Thing"];
    let (Some(from), Some(to)) = (known.one(random, &kinds), known.one(random, &kinds)) else { return };
    let source = match from.kind {
        _ if random.once_in(3) => "    fieldPath: metadata.name\n",
        "ConfigMap" => *random.pick(&["    fieldPath: data.other\n", "    fieldPath: data[file.txt]\n"]),
        "Deployment" => *random.pick(&[
            "    fieldPath: spec.replicas\n",
            "    fieldPath: spec.template.spec.containers.[name=main].image\n    options: {delimiter: ':', index: 0}\n",
        ]),
        "Service" => "    fieldPath: spec.ports.[name=http].port\n",
        _ => "    fieldPath: spec.ref\n",
    };
    let paths: &[&str] = match to.kind {
        "Deployment" => &[
            "    - spec.template.spec.containers.*.image\n    options: {delimiter: ':', index: 1}\n",
            "    - spec.template.spec.containers.[name=main].env.[name=A].value\n    options: {create: true}\n",
            "    - spec.template.metadata.labels.x\n    options: {create: true}\n",
            "    - spec.template.spec.containers.[name=main].image\n",
        ],
        "ConfigMap" => &["    - data.other\n", "    - data[file.txt]\n", "    - data.key\n    - data.other\n"],
        "Service" => &["    - spec.ports.0.name\n", "    - spec.ports.*.name\n"],
        _ => &["    - spec.items.[name=two].name\n", "    - spec.ref\n", "    - spec.items.*.name\n"],
    };
    let any = "    - metadata.annotations.note\n    options: {create: true}\n";
    let paths = if random.once_in(3) { any } else { *random.pick(paths) };
    let kind = from.kind;
    let reject =
        if random.once_in(3) { format!("    reject:\n    - name: {}\n", random.pick(NAMES)) } else { String::new() };
    let select = format!("kind: {}\n      name: {}", to.kind, to.name);
    let text = format!(
        "- source:\n    kind: {kind}\n    name: {}\n{source}  targets:\n  - select:\n      {select}\n{reject}    fieldPaths:\n{paths}",
        wild(random).unwrap_or(from.name)
    );
    put(file, "replacements:\n", text, "replacements");
}
