//! Makers of large inputs: an umbrella chart, and a kustomization of many Deployments.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

fn write(path: impl AsRef<Path>, text: impl AsRef<[u8]>) {
    let path = path.as_ref();
    fs::create_dir_all(path.parent().expect("a file has a folder")).expect("writable");
    fs::write(path, text).expect("writable");
}

/// An umbrella chart with `count` service charts below it, each a copy of the example's chart with a config map that
/// calls `tpl` `calls` times and a checksum of it on the Deployment.
pub fn umbrella(folder: &Path, count: usize, calls: usize) {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/chart/web");
    let mut chart = "apiVersion: v2\nname: umbrella\nversion: 1.0.0\ndependencies:\n".to_owned();
    for number in 0..count {
        let name = format!("svc{number:03}");
        let _ = writeln!(chart, "- name: {name}\n  version: 1.0.0");
        service(&example, &folder.join("charts").join(&name), &name, calls);
    }
    write(folder.join("Chart.yaml"), chart);
    write(folder.join("values.yaml"), "global:\n  domain: example.com\n  team: shop\n");
    let about = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}-about\ndata:\n  domain: {{ .Values.global.domain }}\n";
    write(folder.join("templates/about.yaml"), about);
}

fn service(example: &Path, folder: &Path, name: &str, calls: usize) {
    write(folder.join("Chart.yaml"), format!("apiVersion: v2\nname: {name}\nversion: 1.0.0\nappVersion: '2.1'\n"));
    let mut values = fs::read_to_string(example.join("values.yaml")).expect("the example is there");
    values.push_str("config:\n");
    for call in 0..calls {
        let _ = writeln!(values, "  key{call:02}: '{{{{ .Release.Name }}}}-{call}.{{{{ .Values.global.domain }}}}'");
    }
    write(folder.join("values.yaml"), values);
    for file in ["_helpers.tpl", "deployment.yaml", "service.yaml", "serviceaccount.yaml"] {
        let text = fs::read_to_string(example.join("templates").join(file)).expect("the example is there");
        let text = text.replace("\"web.", &format!("\"{name}."));
        let sum = "  annotations:\n    checksum/config: {{ include (print $.Template.BasePath \"/config.yaml\") . | sha256sum }}\nspec:";
        let text = if file == "deployment.yaml" { text.replacen("spec:", sum, 1) } else { text };
        write(folder.join("templates").join(file), text);
    }
    let config = format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{{{ include \"{name}.fullname\" . }}}}\n  labels:\n    \
         {{{{- include \"{name}.labels\" . | nindent 4 }}}}\ndata:\n  {{{{- range $key, $text := .Values.config }}}}\n  \
         {{{{ $key }}}}: {{{{ tpl $text $ | quote }}}}\n  {{{{- end }}}}\n"
    );
    write(folder.join("templates/config.yaml"), config);
}

/// A kustomization of `count` Deployments with prefix, namespace, labels, images and `patches` targeted patches.
pub fn deployments(folder: &Path, count: usize, patches: usize) {
    let mut objects = String::new();
    for number in 0..count {
        let _ = write!(
            objects,
            "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: app-{number}\nspec:\n  replicas: 1\n  selector:\n    matchLabels:\n      \
             app: app-{number}\n  template:\n    metadata:\n      labels:\n        app: app-{number}\n    spec:\n      containers:\n      - name: main\n        \
             image: registry.example.com/app:1.0\n        env:\n        - name: NUMBER\n          value: \"{number}\"\n        ports:\n        - \
             containerPort: 8080\n---\n"
        );
    }
    write(folder.join("objects.yaml"), objects);
    let mut text = "namePrefix: shop-\nnamespace: shop\nlabels:\n- pairs: {team: red}\n  includeSelectors: true\nimages:\n- name: \
                    registry.example.com/app\n  newTag: \"2.0\"\nresources: [objects.yaml]\npatches:\n"
        .to_owned();
    for number in 0..patches {
        let _ = write!(
            text,
            "- target: {{kind: Deployment, name: app-{number}}}\n  patch: |-\n    apiVersion: apps/v1\n    kind: Deployment\n    metadata: {{name: any}}\n    \
             spec: {{template: {{spec: {{containers: [{{name: main, env: [{{name: PATCH, value: \"{number}\"}}]}}]}}}}}}\n"
        );
    }
    write(folder.join("kustomization.yaml"), text);
}

/// `count` roots that share 20 bases and 10 charts, each with values, an image and a patch of its own.
pub fn roots(folder: &Path, count: usize) {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/chart/web");
    for chart in 0..10 {
        service(&example, &folder.join(format!("charts/svc{chart}")), &format!("svc{chart}"), 0);
    }
    for base in 0..20 {
        let base = folder.join(format!("bases/b{base}"));
        write(
            base.join("kustomization.yaml"),
            "resources: [config.yaml, service.yaml, deployment.yaml]\nlabels:\n- pairs: {tier: base}\n",
        );
        write(
            base.join("config.yaml"),
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: base}\ndata: {level: info}\n",
        );
        write(
            base.join("service.yaml"),
            "apiVersion: v1\nkind: Service\nmetadata: {name: base}\nspec:\n  selector: {app: base}\n  ports: [{port: 80}]\n",
        );
        write(
            base.join("deployment.yaml"),
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: base}\nspec:\n  selector: {matchLabels: {app: base}}\n  template:\n    metadata: {labels: {app: \
             base}}\n    spec:\n      containers:\n      - name: main\n        image: registry.example.com/app:1.0\n        envFrom: [{configMapRef: {name: base}}]\n",
        );
    }
    for root in 0..count {
        let folder = folder.join(format!("roots/r{root:03}"));
        let (team, base, chart) = (root % 30, root % 20, root % 10);
        write(folder.join("values.yaml"), format!("replicaCount: {}\n", root % 7 + 1));
        write(
            folder.join("kustomization.yaml"),
            format!(
                "namespace: team-{team}\nnamePrefix: r{root}-\nresources: [../../bases/b{base}]\nimages:\n- name: registry.example.com/app\n  newTag: \
                 \"2.{root}\"\nhelmGlobals: {{chartHome: ../../charts}}\nhelmCharts:\n- {{name: svc{chart}, releaseName: rel, valuesFile: values.yaml}}\npatches:\n- \
                 target: {{kind: Deployment, name: base}}\n  patch: |-\n    - {{op: add, path: /spec/replicas, value: {team}}}\n"
            ),
        );
    }
}
