//! The typed values that `.Capabilities` holds, and Helm 3's `.Chart`.
//!
//! In: facts. Out: objects whose fields, methods and printed forms are those of Helm's Go structs.

use std::any::Any;
use std::borrow::Cow;
use std::fmt::Debug;
use std::rc::Rc;

use crate::compat::Profile;
use crate::gotmpl::{Args, Ctx, FuncError, Kind, Map, Method, Object, Str, Ty, Val};

use super::capabilities::Capabilities;

/// A Go struct, or a pointer to one: fields by name, a printed form, and a JSON form.
#[derive(Debug)]
pub(crate) struct Struct {
    pub type_name: &'static str,
    pub kind: Kind,
    pub fields: Vec<(&'static str, Val)>,
    /// The text of `String`, or Go's form of the struct.
    pub text: String,
    /// The form in JSON.
    pub json: Vec<(&'static str, Val)>,
    pub methods: &'static [Method],
}

impl Object for Struct {
    fn type_name(&self) -> Cow<'_, str> {
        self.type_name.into()
    }

    fn kind(&self) -> Kind {
        self.kind
    }

    fn field(&self, name: &str) -> Option<Val> {
        self.fields.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone())
    }

    fn methods(&self) -> &'static [Method] {
        self.methods
    }

    fn call(self: Rc<Self>, method: &'static Method, _: &mut Ctx<'_>, _: Args<'_>) -> Result<Val, FuncError> {
        Ok(match method.name {
            "GitVersion" => self.field("Version").unwrap_or_default(),
            _ => Val::str(&self.text),
        })
    }

    fn write_text(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.text.as_bytes());
    }

    fn is_stringer(&self) -> bool {
        !self.methods.is_empty()
    }

    fn plain(&self) -> Val {
        Val::Map(self.json.iter().map(|(name, value)| (Str::new(name), value.clone())).collect::<Map>())
    }

    fn json_fields(&self) -> Option<&[(&'static str, Val)]> {
        Some(&self.json)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// `.Capabilities.APIVersions`.
#[derive(Debug)]
struct VersionSet {
    type_name: &'static str,
    versions: Rc<Vec<String>>,
}

const VERSION_SET_METHODS: &[Method] = &[Method { name: "Has", params: &[Ty::Str], variadic: false }];

impl Object for VersionSet {
    fn type_name(&self) -> Cow<'_, str> {
        self.type_name.into()
    }

    fn kind(&self) -> Kind {
        Kind::Slice
    }

    fn methods(&self) -> &'static [Method] {
        VERSION_SET_METHODS
    }

    fn call(self: Rc<Self>, _: &'static Method, _: &mut Ctx<'_>, args: Args<'_>) -> Result<Val, FuncError> {
        let wanted = args.bytes(0);
        Ok(Val::Bool(self.versions.iter().any(|version| version.as_bytes() == wanted)))
    }

    fn write_text(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(format!("[{}]", self.versions.join(" ")).as_bytes());
    }

    fn is_stringer(&self) -> bool {
        false
    }

    fn plain(&self) -> Val {
        Val::strings(self.versions.iter())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

const KUBE_VERSION_METHODS: &[Method] = &[
    Method { name: "GitVersion", params: &[], variadic: false },
    Method { name: "String", params: &[], variadic: false },
];

/// `.Capabilities`.
pub(crate) fn capabilities(capabilities: &Capabilities, profile: Profile) -> Val {
    let four = profile.chart_is_map();
    let kube = &capabilities.kube_version;
    let parts = vec![
        ("Version", Val::str(&kube.version)),
        ("Major", Val::str(&kube.major)),
        ("Minor", Val::str(&kube.minor)),
    ];
    let kube_version = Val::object(Struct {
        type_name: if four { "common.KubeVersion" } else { "chartutil.KubeVersion" },
        kind: Kind::Struct,
        fields: parts.clone(),
        text: if four { kube.normalized.clone() } else { kube.version.clone() },
        json: parts,
        methods: KUBE_VERSION_METHODS,
    });
    let versions = Rc::new(capabilities.api_versions.clone());
    let type_name = if four { "common.VersionSet" } else { "chartutil.VersionSet" };
    let listed = versions.join(" ");
    let api_versions = Val::object(VersionSet { type_name, versions });
    let helm = helm_version(capabilities);
    let helm_text = helm.text.clone();
    let fields = vec![
        ("KubeVersion", kube_version),
        ("APIVersions", api_versions),
        ("HelmVersion", Val::object(helm)),
    ];
    let inner = if four {
        format!("{} {} {} {}", kube.version, kube.normalized, kube.major, kube.minor)
    } else {
        format!("{} {} {}", kube.version, kube.major, kube.minor)
    };
    Val::object(Struct {
        type_name: if four { "*common.Capabilities" } else { "*chartutil.Capabilities" },
        kind: Kind::Ptr,
        text: format!("&{{{{{inner}}} [{listed}] {helm_text}}}"),
        json: fields.clone(),
        fields,
        methods: &[],
    })
}

fn helm_version(capabilities: &Capabilities) -> Struct {
    let helm = &capabilities.helm;
    let mut fields = vec![
        ("Version", Val::str(helm.version)),
        ("GitCommit", Val::str(helm.git_commit)),
        ("GitTreeState", Val::str("clean")),
        ("GoVersion", Val::str(helm.go_version)),
    ];
    let mut json = vec![
        ("version", Val::str(helm.version)),
        ("git_commit", Val::str(helm.git_commit)),
        ("git_tree_state", Val::str("clean")),
        ("go_version", Val::str(helm.go_version)),
    ];
    let mut text = format!("{} {} clean {}", helm.version, helm.git_commit, helm.go_version);
    if let Some(client) = helm.kube_client_version {
        fields.push(("KubeClientVersion", Val::str(client)));
        json.push(("kube_client_version", Val::str(client)));
        text = format!("{text} {client}");
    }
    let text = format!("{{{text}}}");
    Struct { type_name: "version.BuildInfo", kind: Kind::Struct, fields, text, json, methods: &[] }
}
